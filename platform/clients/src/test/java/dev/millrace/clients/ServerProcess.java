package dev.millrace.clients;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The packaged server with a model of random weights, on a free port. */
final class ServerProcess implements AutoCloseable {
  private static final String SERVING = "millrace: serving ";

  private final Process process;
  private final String url;

  private ServerProcess(Process process, String url) {
    this.process = process;
    this.url = url;
  }

  /** One that serves. */
  static ServerProcess start(String... flags) throws IOException {
    var root = Path.of(System.getProperty("millrace.root"));
    var home = root.resolve("target/millrace");
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                "-DRUST_FLAVOR=cpu",
                "-DDJL_CACHE_DIR=" + root.resolve("target/djl"),
                "-Dmillrace.home=" + home,
                "-jar",
                home.resolve("millrace-server.jar").toString(),
                "serve",
                "--model",
                root.resolve("platform/testkit/src/test/noise-model").toString(),
                "--served-model-name",
                "demo",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--admin-port",
                "0"));
    command.addAll(List.of(flags));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    var said = new StringBuilder();
    for (var line = out.readLine(); line != null; line = out.readLine()) {
      said.append(line).append('\n');
      if (line.contains(SERVING)) {
        drain(out);
        return new ServerProcess(process, line.replaceAll(".*(http://\\S+).*", "$1"));
      }
    }
    throw new IllegalStateException("the server ended:\n" + said);
  }

  /** A full pipe would stop the server. */
  private static void drain(BufferedReader out) {
    Thread.ofVirtual().start(() -> out.lines().forEach(_ -> {}));
  }

  /** Scheme, host and port. */
  String url() {
    return url;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
