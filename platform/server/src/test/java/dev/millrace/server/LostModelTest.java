package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A file that shrinks or is overwritten under us ends its model with an error, and nothing else.
 */
@Timeout(120)
class LostModelTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "CUT_OFF, auto",
    "EMPTIED, auto",
    "OVERWRITTEN, auto",
    "EMPTIED, reference",
    "OVERWRITTEN, reference",
  })
  void theModelEndsAndTheServerStays(LostModel.Harm harm, String kernels)
      throws IOException, InterruptedException {
    LostModel.harm(LostModel.directory(folder), "model.safetensors", harm, kernels);
  }

  @Test
  void soWithGguf() throws IOException, InterruptedException {
    var file = folder.resolve("model.gguf");
    Files.copy(TestServer.ggufFolder().resolve("noise-f16.gguf"), file);
    LostModel.harm(file, "", LostModel.Harm.EMPTIED, "auto");
  }

  /** Where all is computed in Java the JVM itself reports pages that cannot be read. */
  @ParameterizedTest
  @CsvSource({
    "CUT_OFF, reference",
    "EMPTIED, reference",
    "OVERWRITTEN, reference",
    "CUT_OFF, vector",
    "EMPTIED, vector",
  })
  void soWithoutNativeCode(LostModel.Harm harm, String kernels) throws Exception {
    var classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("kernels"))
            .collect(Collectors.joining(File.pathSeparator));
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.module=ALL-UNNAMED",
                "-cp",
                classPath));
    for (var property :
        new String[] {"millrace.root", "ai.djl.offline", "RUST_FLAVOR", "DJL_CACHE_DIR"}) {
      command.add("-D" + property + "=" + System.getProperty(property));
    }
    command.addAll(List.of(LostModel.class.getName(), folder.toString(), harm.name(), kernels));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var out = process.getInputStream()) {
      var said = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), said);
    } finally {
      process.destroyForcibly();
    }
  }
}
