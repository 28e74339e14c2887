package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** Where kernels run: {@link Emulator}, {@link Card}. */
interface KernelRunner {
  /** Memory that kernels may use, zeros at first, at a multiple of 256. */
  MemorySegment allocate(long bytes);

  /** As {@link Kernels#launch}. */
  void launch(String kernel, Grid grid, Object... arguments);

  /** As {@link Kernels#copyEarly}. */
  void copyEarly(boolean early);

  /**
   * Lays an argument down for a launch.
   *
   * @param value Integer, Long, Float or MemorySegment
   * @return its bytes
   */
  static int put(MemorySegment to, Object value) {
    return switch (value) {
      case Integer v -> {
        to.set(JAVA_INT, 0, v);
        yield Integer.BYTES;
      }
      case Float v -> {
        to.set(JAVA_FLOAT, 0, v);
        yield Float.BYTES;
      }
      case Long v -> {
        to.set(JAVA_LONG, 0, v);
        yield Long.BYTES;
      }
      case MemorySegment v -> {
        to.set(ADDRESS, 0, v);
        yield Long.BYTES;
      }
      default -> throw new IllegalArgumentException("no kernel takes " + value);
    };
  }
}
