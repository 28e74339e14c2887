package dev.millrace.engine.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import org.junit.jupiter.api.function.Executable;

/** Asserts on errors: the code, and words that the message must say. */
final class Faults {
  private Faults() {}

  static void assertFails(ErrorCode code, Executable call, String... words) {
    InferenceException error = assertThrows(InferenceException.class, call);
    String message = String.valueOf(error.getMessage());
    assertEquals(code, error.code(), message);
    for (String word : words) {
      assertTrue(message.contains(word), () -> "no \"" + word + "\" in: " + message);
    }
  }

  static void assertInvalid(Executable call, String... words) {
    assertFails(ErrorCode.INVALID_CHECKPOINT, call, words);
  }
}
