package dev.millrace.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Asserts on models that are refused: the code, and words that the message must say. */
final class GgufFaults {
  private GgufFaults() {}

  static void assertInvalid(Path file, byte[] bytes, String... words) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertRefused(ErrorCode.INVALID_CHECKPOINT, file, words);
  }

  static void assertRefused(ErrorCode code, Path file, String... words) {
    var error = assertThrows(InferenceException.class, () -> GgufModel.open(file));
    String message = String.valueOf(error.getMessage());
    assertEquals(code, error.code(), message);
    assertTrue(message.contains(file.toString()), message);
    for (String word : words) {
      assertTrue(message.contains(word), () -> "no \"" + word + "\" in: " + message);
    }
  }
}
