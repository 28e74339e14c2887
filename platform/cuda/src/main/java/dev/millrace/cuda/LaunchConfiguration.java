package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How a kernel is launched: a {@code CUlaunchConfig} of the driver (cuda.h of CUDA 12), whose grid
 * and stream change from launch to launch. Entered threads only.
 */
final class LaunchConfiguration {
  private static final long BYTES = 56;
  private static final long BLOCK = 12;
  private static final long SHARED = 24;
  private static final long STREAM = 32;
  private static final long ATTRIBUTES = 40;
  private static final long ATTRIBUTE_COUNT = 48;

  private static final long ATTRIBUTE_BYTES = 72;
  private static final long ATTRIBUTE_VALUE = 8;

  /** {@code CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION}. */
  private static final int OVERLAP = 6;

  private final MemorySegment memory;

  /**
   * For blocks of one dimension.
   *
   * @param shared bytes of dynamic shared memory
   * @param early whether the kernel comes onto the card as the last blocks of the one ahead leave
   *     it, where cards can do that: it waits by itself before it reads or writes what others have
   *     written
   * @param arena that it lives in
   */
  LaunchConfiguration(int threads, int shared, boolean early, Arena arena) {
    memory = arena.allocate(BYTES, JAVA_LONG.byteAlignment());
    memory.set(JAVA_INT, BLOCK, threads);
    memory.set(JAVA_INT, BLOCK + 4, 1);
    memory.set(JAVA_INT, BLOCK + 8, 1);
    memory.set(JAVA_INT, SHARED, shared);
    var attribute = arena.allocate(ATTRIBUTE_BYTES, JAVA_LONG.byteAlignment());
    attribute.set(JAVA_INT, 0, OVERLAP);
    attribute.set(JAVA_INT, ATTRIBUTE_VALUE, 1);
    memory.set(ADDRESS, ATTRIBUTES, attribute);
    memory.set(JAVA_INT, ATTRIBUTE_COUNT, early ? 1 : 0);
  }

  /** The same for a grid and a stream. */
  MemorySegment of(int x, int y, int z, long stream) {
    memory.set(JAVA_INT, 0, x);
    memory.set(JAVA_INT, 4, y);
    memory.set(JAVA_INT, 8, z);
    memory.set(JAVA_LONG, STREAM, stream);
    return memory;
  }
}
