package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines with narrow vectors compute the same bits as those with wide ones. */
class VectorWidthTest {
  @ParameterizedTest
  @ValueSource(ints = {16, 32})
  void narrowVectorsGiveTheSameBits(int bytes) throws IOException, InterruptedException {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var command =
        List.of(
            java,
            "-XX:MaxVectorSize=" + bytes,
            "--enable-native-access=ALL-UNNAMED",
            "--add-exports=java.base/jdk.internal.module=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            VectorDigest.class.getName());
    var process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor(60, TimeUnit.SECONDS);
    var lines = printed.lines().toList();
    assertEquals(VectorDigest.compute(), lines.getLast(), printed);
  }
}
