package dev.millrace.engine;

import com.sun.management.OperatingSystemMXBean;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The memory of this machine, or of the container this runs in. Refuses what it does not hold, by
 * name and before it is allocated: another model may be answering requests beside it.
 */
final class HostMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final String AVAILABLE = "MemAvailable:";

  private HostMemory() {}

  /**
   * Requires so much memory to be there.
   *
   * @param what needs it, in words
   * @throws InferenceException {@code OUT_OF_MEMORY} with both figures
   */
  static void require(String what, long bytes) {
    long available = available();
    if (bytes > available) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "%s need %s of memory, %s are available"
              .formatted(what, mebibytes(bytes), mebibytes(available)));
    }
  }

  private static String mebibytes(long bytes) {
    return "%,d MiB".formatted(Math.ceilDiv(bytes, 1 << 20));
  }

  /** All of it. */
  static long total() {
    return bean().getTotalMemorySize();
  }

  /** What can be had without swapping: the page cache counts, as far as the system gives it up. */
  private static long available() {
    return ofSystem().orElseGet(() -> bean().getFreeMemorySize());
  }

  /** Of the whole machine, so only where no smaller limit is set for this process. */
  private static OptionalLong ofSystem() {
    try (var lines = Files.lines(MEMINFO)) {
      var words = lines.map(line -> line.split("\\s+")).toList();
      long machine = Long.parseLong(words.getFirst()[1]) * 1024;
      if (machine > total()) {
        return OptionalLong.empty();
      }
      return words.stream()
          .filter(line -> line[0].equals(AVAILABLE))
          .mapToLong(line -> Long.parseLong(line[1]) * 1024)
          .findFirst();
    } catch (IOException | RuntimeException _) {
      return OptionalLong.empty();
    }
  }

  private static OperatingSystemMXBean bean() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  }
}
