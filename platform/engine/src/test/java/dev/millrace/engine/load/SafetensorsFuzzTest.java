package dev.millrace.engine.load;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.fuzz.Fuzz;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Safetensors files that are spoilt anywhere: read to the last byte, or refused by name. */
class SafetensorsFuzzTest {
  private static final int HEADER = 400;

  @TempDir Path directory;

  @Test
  void spoiltFilesAreReadOrRefused() throws IOException {
    Path file = directory.resolve("model.safetensors");
    new SafetensorsWriter()
        .add("model.embed_tokens.weight", DType.F32, new float[64], 8, 8)
        .add("model.norm.weight", DType.BF16, new float[8], 8)
        .add("codes", DType.U8, new byte[24], 2, 3, 4)
        .add("one", DType.F16, new float[1])
        .write(file);
    var words =
        List.of(
            "\"data_offsets\":[0,0]",
            "\"__metadata__\":{}",
            "\"F8_E4M3\"",
            "-1",
            "9223372036854775807",
            "1e400",
            "[[[[",
            "{\"a\":",
            "\\ud800");
    int sound =
        Fuzz.run(
            file, List.of(Files.readAllBytes(file)), HEADER, words, SafetensorsFuzzTest::readAll);
    assertTrue(sound > 0, "nothing was read: the sample is not sound");
  }

  private static void readAll(Path file) {
    try (var arena = Arena.ofConfined()) {
      for (var tensor : SafetensorsFile.open(file, new MappedFiles(arena)).tensors().values()) {
        var bytes = tensor.bytes();
        if (bytes.byteSize() > 0) {
          var _ = bytes.get(ValueLayout.JAVA_BYTE, 0);
          var _ = bytes.get(ValueLayout.JAVA_BYTE, bytes.byteSize() - 1);
        }
      }
    }
  }
}
