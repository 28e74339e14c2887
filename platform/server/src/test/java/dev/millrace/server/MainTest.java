package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  private static String said(int code, String... arguments) {
    var err = new StringWriter();
    var writer = new PrintWriter(err, true);
    assertEquals(code, Main.run(arguments, new ServeApplication(), writer, writer));
    return err.toString();
  }

  @Test
  void unknownFlagIsAUsageErrorThatNamesTheNearest() {
    var said = said(2, "serve", "--max-num-sequences", "3");
    assertTrue(said.contains("--max-num-sequences"), said);
    assertTrue(said.contains("--max-num-seqs"), said);
  }

  @Test
  void commandIsNeeded() {
    assertTrue(said(2).contains("usage"));
    assertTrue(said(2, "sing").contains("sing"));
  }

  @Test
  void wrongConfigurationIsListedWithoutAStackTrace(@TempDir Path dir) throws IOException {
    var file = Files.writeString(dir.resolve("wrong.yml"), "prt: 1\nhots: x\n");
    var said = said(78, "serve", "--config", file.toString(), "--port", "x");
    assertTrue(said.contains("prt: unknown key"), said);
    assertTrue(said.contains("hots: unknown key, did you mean \"host\"?"), said);
    assertTrue(said.contains("--port: found \"x\""), said);
    assertFalse(said.contains("\tat "), said);
  }

  @Test
  void missingConfigurationFileIsNamed() {
    assertTrue(said(78, "serve", "--config", "no.yml").contains("no such file"));
  }

  @Test
  void modelThatCannotBeLoadedEndsTheProgram(@TempDir Path dir) throws Exception {
    var said =
        process(
            1, Main.class, "serve", "--model", dir.toString(), "--port", "0", "--admin-port", "0");
    assertTrue(said.contains("the model cannot be served: "), said);
    assertFalse(said.contains("\tat "), said);
  }

  @Test
  void allThatIsWrongIsSaidAtOnce(@TempDir Path dir) throws Exception {
    var said =
        process(
            1,
            Main.class,
            "serve",
            "--model",
            dir.resolve("none").toString(),
            "--device",
            "cuda",
            "--scheduler",
            "roulette",
            "--quantization",
            "int1",
            "--port",
            "0",
            "--admin-port",
            "0");
    for (var wrong : List.of("cuda", "roulette", "int1", "none is not a directory")) {
      assertTrue(said.contains(wrong), said);
    }
    assertFalse(said.contains("shutting down"), said);
  }

  @Test
  void portInUseEndsTheProgram() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var port = String.valueOf(taken.getLocalPort());
      String[] serve = {"serve", "--host", "127.0.0.1", "--port", port, "--admin-port", "0"};
      var arguments = new ArrayList<>(List.of(serve));
      arguments.addAll(List.of("--model", TestServer.MODEL_DIRECTORY));
      var said = process(1, Main.class, arguments.toArray(String[]::new));
      assertTrue(said.contains("Address already in use"), said);
      assertFalse(said.contains("\tat "), said);
    }
  }

  @Test
  void aStartIsRehearsed() throws Exception {
    var said = process(0, Rehearsal.class, "--model", TestServer.MODEL_DIRECTORY);
    assertTrue(said.contains("millrace: serving noise-model on http://127.0.0.1:"), said);
  }

  @Test
  void aRehearsalThatFailsSaysSo() throws Exception {
    process(1, Rehearsal.class, "--scheduler", "none-such");
  }

  private static String process(int code, Class<?> main, String... arguments) throws Exception {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--plugins", TestServer.PLUGINS));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var out = process.getInputStream()) {
      var said = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(code, process.waitFor(), said);
      return said;
    } finally {
      process.destroyForcibly();
    }
  }
}
