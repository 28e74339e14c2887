package dev.millrace.compare;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** The machine a comparison ran on: figures without it mean nothing. */
public record Machine(
    int cores,
    String cpu,
    long memoryBytes,
    String operatingSystem,
    String architecture,
    String jdk) {

  /** This one. */
  public static Machine detect() {
    long memory =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system
            ? system.getTotalMemorySize()
            : 0;
    return new Machine(
        Runtime.getRuntime().availableProcessors(),
        cpuModel(),
        memory,
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("os.arch"),
        System.getProperty("java.vendor") + " " + Runtime.version());
  }

  /** The processor's name where Linux tells it. */
  private static String cpuModel() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("unknown");
    } catch (IOException _) {
      return "unknown";
    }
  }

  /** One line for people. */
  public String text() {
    return "%d cores, %s, %.1f GiB, %s %s, JDK %s"
        .formatted(
            cores, cpu, memoryBytes / (double) (1L << 30), operatingSystem, architecture, jdk);
  }
}
