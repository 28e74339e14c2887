package dev.millrace.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * A server started for one column as a child process, its output in a log file. Stopped with
 * SIGTERM when closed, and also when this JVM is told to end.
 */
final class ServerProcess implements AutoCloseable {
  private static final int LOG_LINES_SHOWN = 20;
  private static final int SECONDS_TO_STOP = 30;

  private final Process process;
  private final Path log;
  private final URI base;
  private final Thread stopAtExit;

  private ServerProcess(Process process, Path log, URI base) {
    this.process = process;
    this.log = log;
    this.base = base;
    this.stopAtExit = Thread.ofPlatform().unstarted(process::destroy);
    Runtime.getRuntime().addShutdownHook(stopAtExit);
  }

  /** Two ports that were free a moment ago: for requests and for administration. */
  record Ports(int http, int admin) {
    static Ports free() {
      try (var http = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
          var admin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return new Ports(http.getLocalPort(), admin.getLocalPort());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  static ServerProcess start(List<String> command, Ports ports, Path log) {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(log.toFile());
    // every column must run the same build, even if a source is edited meanwhile
    builder.environment().put("MILLRACE_BUILD", "skip");
    try {
      var process = builder.start();
      process.getOutputStream().close();
      return new ServerProcess(process, log, URI.create("http://127.0.0.1:" + ports.http()));
    } catch (IOException e) {
      throw new CompareException("cannot start " + command.getFirst() + ": " + e.getMessage());
    }
  }

  /** Waits until the server says it would serve, and asks it what. */
  ServerInfo awaitReady(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!ServerInfo.healthy(base)) {
      if (!process.isAlive()) {
        throw new CompareException(
            "the server ended with status %d before it was ready%s"
                .formatted(process.exitValue(), lastLines()));
      }
      if (System.nanoTime() > deadline) {
        throw new CompareException(
            "the server was not ready within %d s (GET %s/health)%s"
                .formatted(limit.toSeconds(), base, lastLines()));
      }
      Thread.sleep(100);
    }
    return ServerInfo.ask(base);
  }

  URI base() {
    return base;
  }

  /** Throws, with its last words, if the server has died. */
  void assertAlive() {
    if (!process.isAlive()) {
      throw new CompareException(
          "the server died with status %d under load%s"
              .formatted(process.exitValue(), lastLines()));
    }
  }

  /** The most memory that was resident so far in bytes, where the system tells (Linux). */
  OptionalLong peakResidentBytes() {
    var status = Path.of("/proc", Long.toString(process.pid()), "status");
    if (!Files.isReadable(status)) {
      return OptionalLong.empty();
    }
    try (var lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst();
    } catch (IOException | UncheckedIOException _) {
      return OptionalLong.empty(); // ended between the two looks
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(SECONDS_TO_STOP, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(stopAtExit);
    } catch (IllegalStateException _) {
      // this JVM is ending: the hook is running or has run
    }
  }

  private String lastLines() {
    try {
      var lines = new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      var last = lines.subList(Math.max(0, lines.size() - LOG_LINES_SHOWN), lines.size());
      return last.isEmpty()
          ? "; it printed nothing"
          : "; the end of " + log + ":\n  " + String.join("\n  ", last);
    } catch (IOException _) {
      return "";
    }
  }
}
