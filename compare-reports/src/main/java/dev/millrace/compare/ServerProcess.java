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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * The server under comparison as a child process, its output in a log file. It runs at a lower
 * priority than the load generator, so that the generator is on time even on a busy machine.
 * Stopped with SIGTERM when closed, and also when this JVM is told to end.
 */
public final class ServerProcess implements AutoCloseable {
  private static final int LOG_LINES_SHOWN = 20;
  private static final int SECONDS_TO_STOP = 30;
  private static final Path NICE = Path.of("/usr/bin/nice");
  private static final String NICENESS = "19";

  /** Ticks in which Linux counts processor time for other programs: 100 on every port we know. */
  private static final double TICKS_PER_SECOND = 100;

  private final Process process;
  private final Path log;
  private final URI base;
  private final URI admin;
  private final Thread stopAtExit;

  private ServerProcess(Process process, Path log, Ports ports) {
    this.process = process;
    this.log = log;
    this.base = URI.create("http://127.0.0.1:" + ports.http());
    this.admin = URI.create("http://127.0.0.1:" + ports.admin());
    this.stopAtExit = Thread.ofPlatform().unstarted(process::destroy);
    Runtime.getRuntime().addShutdownHook(stopAtExit);
  }

  /** Two ports that were free a moment ago: for requests and for administration. */
  public record Ports(int http, int admin) {
    /** Two of the loopback address. */
    public static Ports free() {
      try (var http = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
          var admin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return new Ports(http.getLocalPort(), admin.getLocalPort());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /**
   * Starts it.
   *
   * @param command which makes it listen on the ports
   * @param log where its output goes
   */
  public static ServerProcess start(List<String> command, Ports ports, Path log) {
    return start(command, ports, log, Map.of());
  }

  /** Starts it with further variables in its environment. */
  public static ServerProcess start(
      List<String> command, Ports ports, Path log, Map<String, String> environment) {
    var words = new ArrayList<String>();
    if (Files.isExecutable(NICE)) {
      words.addAll(List.of(NICE.toString(), "-n", NICENESS));
    }
    words.addAll(command);
    var builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.redirectOutput(log.toFile());
    // the build that was asked for, even if a source is edited meanwhile
    builder.environment().put("MILLRACE_BUILD", "skip");
    builder.environment().putAll(environment);
    try {
      var process = builder.start();
      process.getOutputStream().close();
      return new ServerProcess(process, log, ports);
    } catch (IOException e) {
      throw new CompareException("cannot start " + command.getFirst() + ": " + e.getMessage());
    }
  }

  /** Waits until the server says it would serve, and asks it what. */
  public ServerInfo awaitReady(Duration limit) throws InterruptedException {
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

  /** Where it serves. */
  public URI base() {
    return base;
  }

  URI admin() {
    return admin;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Throws, with its last words, if the server has died. */
  void assertAlive() {
    if (!process.isAlive()) {
      throw new CompareException(
          "the server died with status %d under load%s"
              .formatted(process.exitValue(), lastLines()));
    }
  }

  /** Forgets the peak of resident memory, where the system can (Linux). */
  void resetPeak() {
    try {
      Files.writeString(proc("clear_refs"), "5");
    } catch (IOException _) {
      // then peaks are those since the start
    }
  }

  /** The most memory that was resident since the last reset, in bytes, where the system tells. */
  public OptionalLong peakResidentBytes() {
    return status("VmHWM:");
  }

  /** The memory that is resident now, in bytes, where the system tells (Linux). */
  OptionalLong residentBytes() {
    return status("VmRSS:");
  }

  private OptionalLong status(String key) {
    try (var lines = Files.lines(proc("status"))) {
      return lines
          .filter(line -> line.startsWith(key))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst();
    } catch (IOException | UncheckedIOException _) {
      return OptionalLong.empty(); // another system, or ended between two looks
    }
  }

  /** Processor time the server has used, in seconds; not a number where the system hides it. */
  double processorSeconds() {
    try {
      String stat = Files.readString(proc("stat"));
      // the name in brackets may hold blanks; user and system time are fields 14 and 15
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    } catch (IOException _) {
      return Double.NaN;
    }
  }

  private Path proc(String file) {
    return Path.of("/proc", Long.toString(process.pid()), file);
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
