package dev.millrace.server;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * Opens a large vocabulary, serves the demo model, asks it what clients ask, loads what is
 * quantized, and ends: so that a JVM that records for an ahead-of-time cache (JEP 483, JEP 515)
 * sees the classes and methods of a start, and the profiles of what every request runs. The
 * launcher runs it after a build. Exit codes: those of {@link Main}; 1 if the server did not
 * answer.
 */
public final class Rehearsal {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(120);

  /** Rounds of questions: the JVM compiles, and so profiles, only what has run some 200 times. */
  private static final int ROUNDS = 200;

  private static final String CHAT =
      """
      {"messages": [{"role": "user", "content": "How long does delivery take?"}],
       "max_tokens": 8, "stream": %s}
      """;
  private static final String COMPLETION =
      """
      {"prompt": "How long does delivery take?", "max_tokens": 8, "temperature": 0, "stream": %s}
      """;

  private final String server;

  private Rehearsal(String server) {
    this.server = server;
  }

  /** Takes flags of {@code serve} besides those that say where it listens. */
  public static void main(String[] flags) throws IOException, InterruptedException {
    String port = String.valueOf(freePort());
    String[] serve = {"serve", "--host", "127.0.0.1", "--port", port, "--admin-port", "0"};
    LargeVocabulary.open();
    Thread.ofPlatform().daemon().start(() -> Main.main(join(serve, flags)));
    var rehearsal = new Rehearsal("http://127.0.0.1:" + port);
    boolean done = rehearsal.waitForModel() && rehearsal.askAll();
    try {
      QuantizedModels.open(
          path(flags, "--model", "demo-model"), path(flags, "--plugins", "plugins"));
    } catch (IOException | RuntimeException e) {
      LoggerFactory.getLogger(Rehearsal.class).error("nothing quantized was rehearsed", e);
      done = false;
    }
    System.exit(done ? 0 : 1);
  }

  /** What a flag names, or a part of the distribution. */
  private static Path path(String[] flags, String flag, String byDefault) {
    int at = List.of(flags).indexOf(flag);
    return at < 0 ? Home.path(byDefault) : Path.of(flags[at + 1]);
  }

  private static String[] join(String[] first, String[] second) {
    var all = new String[first.length + second.length];
    System.arraycopy(first, 0, all, 0, first.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private boolean waitForModel() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < end) {
      if (ask("/health", "")) {
        return true;
      }
      Thread.sleep(20);
    }
    return false;
  }

  private boolean askAll() {
    boolean answered = true;
    for (int round = 0; round < ROUNDS; round++) {
      answered &= ask("/v1/chat/completions", CHAT.formatted("false"));
      answered &= ask("/v1/chat/completions", CHAT.formatted("true"));
      answered &= ask("/v1/completions", COMPLETION.formatted("false"));
      answered &= ask("/v1/completions", COMPLETION.formatted("true"));
      answered &= ask("/v1/models", "") && ask("/metrics", "");
    }
    return answered;
  }

  /** Whether this was answered with 200; a body makes it a POST. */
  private boolean ask(String path, String body) {
    try {
      var connection = (HttpURLConnection) URI.create(server + path).toURL().openConnection();
      if (!body.isEmpty()) {
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
      }
      boolean good = connection.getResponseCode() == HttpURLConnection.HTTP_OK;
      try (var in = good ? connection.getInputStream() : connection.getErrorStream()) {
        in.readAllBytes();
      }
      return good;
    } catch (IOException _) {
      return false; // not listening yet, or no longer
    }
  }
}
