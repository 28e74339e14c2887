package dev.millrace.engine.gguf;

import static dev.millrace.engine.gguf.GgufFaults.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufPartsTest {
  @TempDir Path directory;

  private Path part(int number) {
    return directory.resolve("model-%05d-of-00003.gguf".formatted(number));
  }

  private void writeAll() {
    split(TinyGguf.writer(), 0).put("split.tensors.count", 14).write(part(1));
    split(new GgufWriter(), 1).tensor("second.weight", GgufTensorType.F32, 32).write(part(2));
    split(new GgufWriter(), 2).tensor("third.weight", GgufTensorType.F32, 64).write(part(3));
  }

  private static GgufWriter split(GgufWriter writer, int number) {
    return writer.put("split.no", number).put("split.count", 3);
  }

  @Test
  void anyPartLeadsToTheWhole() {
    writeAll();
    for (int i = 1; i <= 3; i++) {
      var model = GgufModel.open(part(i));
      assertEquals(32, model.config().get("hidden_size").intValue());
      try (var arena = Arena.ofConfined()) {
        var tensors = model.map(new MappedFiles(arena));
        assertEquals(14, tensors.names().size());
        assertEquals(256, tensors.tensor("third.weight", arena::allocate).bytes().byteSize());
      }
    }
  }

  @Test
  void missingPartsAreNamed() throws IOException {
    writeAll();
    Files.delete(part(2));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(1), "00002-of-00003", "missing");
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(2), "00002-of-00003", "missing");
  }

  @Test
  void partsThatContradictTheirNamesAreRefused() {
    writeAll();
    split(new GgufWriter(), 2).tensor("second.weight", GgufTensorType.F32, 32).write(part(2));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(2), "split.no is 2");
    split(new GgufWriter(), 1).put("split.count", 4).write(part(2));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(2), "split.count is 4");
    new GgufWriter().tensor("second.weight", GgufTensorType.F32, 32).write(part(2));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(2), "split.no is missing");
  }

  @Test
  void aTensorInTwoPartsIsRefused() {
    writeAll();
    split(new GgufWriter(), 2).tensor("second.weight", GgufTensorType.F32, 32).write(part(3));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(3), "second.weight", part(2).toString());
  }

  @Test
  void aPartWithTensorsMissingIsRefused() {
    writeAll();
    split(new GgufWriter(), 1).write(part(2));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, part(1), "split.tensors.count is 14");
  }

  @Test
  void aPartUnderAnotherNameIsRefused() {
    Path file = split(TinyGguf.writer(), 0).write(directory.resolve("renamed.gguf"));
    assertRefused(ErrorCode.INVALID_CHECKPOINT, file, "one of 3 parts");
    Path beyond = directory.resolve("model-00004-of-00003.gguf");
    assertRefused(ErrorCode.INVALID_CHECKPOINT, TinyGguf.writer().write(beyond), "cannot be");
    Path none = directory.resolve("model-00001-of-00000.gguf");
    assertRefused(ErrorCode.INVALID_CHECKPOINT, TinyGguf.writer().write(none), "cannot be");
  }
}
