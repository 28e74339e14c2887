package dev.millrace.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** OpenAI's own client for JavaScript, by npm and Node's own test runner. */
@Tag("clients")
class OpenAiNodeTest {
  private static final String KEY = "secret";

  @Test
  @Timeout(180)
  void testsOfTheClientPass() throws Exception {
    var folder = installed();
    try (var server = ServerProcess.start("--api-key", KEY)) {
      run(folder, Map.of("MILLRACE_URL", server.url(), "MILLRACE_KEY", KEY), "node", "--test");
    }
  }

  /** A folder with the tests and the exact version of the client that their lock file names. */
  private static Path installed() throws Exception {
    var module = Path.of(System.getProperty("millrace.root"), "platform/clients");
    var folder = Files.createDirectories(module.resolve("target/node"));
    try (var sources = Files.newDirectoryStream(module.resolve("src/test/node"))) {
      for (var source : sources) {
        Files.copy(source, folder.resolve(source.getFileName()), REPLACE_EXISTING);
      }
    }
    run(folder, Map.of(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
    return folder;
  }

  private static void run(Path folder, Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    var process = builder.start();
    var said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ":\n" + said);
  }
}
