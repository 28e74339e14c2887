package dev.millrace.engine.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetDirectoryTest {
  @TempDir Path folder;

  @Test
  void itHasItsNameWhenAllIsThere() throws IOException {
    var source = Files.createDirectory(folder.resolve("source"));
    for (String name :
        List.of("config.json", "model.safetensors", "model.safetensors.index.json", "a.gguf")) {
      Files.writeString(source.resolve(name), name);
    }
    Files.writeString(source.resolve("tokenizer.json"), "words");
    try (var target = new TargetDirectory(folder.resolve("deep/made"))) {
      Files.writeString(target.file("config.json"), "new");
      target.copyFrom(source);
      assertTrue(Files.notExists(folder.resolve("deep/made")));
      target.finish();
    }
    assertEquals(List.of("config.json", "tokenizer.json"), names(folder.resolve("deep/made")));
    assertEquals("new", Files.readString(folder.resolve("deep/made/config.json")));
    assertEquals(List.of("made"), names(folder.resolve("deep")));
  }

  @Test
  void nothingIsLeftOfOneThatIsNotFinished() throws IOException {
    try (var target = new TargetDirectory(folder.resolve("made"))) {
      Files.writeString(target.file("half"), "");
    }
    assertEquals(List.of(), names(folder));
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    var there = Files.createDirectory(folder.resolve("made"));
    var error = assertThrows(InferenceException.class, () -> new TargetDirectory(there));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertTrue(error.toString().contains(there.toString()), error.toString());

    try (var target = new TargetDirectory(folder.resolve("other"))) {
      Files.createDirectory(folder.resolve("other")); // by somebody else
      assertThrows(InferenceException.class, target::finish);
    }
    assertEquals(List.of("made", "other"), names(folder));
  }

  private static List<String> names(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
