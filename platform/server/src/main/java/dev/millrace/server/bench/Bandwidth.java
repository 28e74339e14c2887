package dev.millrace.server.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.device.cpu.MachineLimits;
import dev.millrace.engine.device.cpu.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.ToLongFunction;

/**
 * How fast this machine reads memory: each thread reads a part of an array beyond the caches, all
 * beginning at once. Whatever else runs meanwhile takes time and bandwidth away and never adds any,
 * so the fastest of many rounds is nearest to what the machine can do; the first ones also warm up.
 * A loop in Java is bound by its additions, at two thirds of what a fast machine's memory gives, so
 * the native one reads where there is one.
 */
final class Bandwidth {
  private static final long BYTES = 512L << 20;
  private static final int ROUNDS = 25;

  /** Bytes of a thread's part are a multiple of this. */
  private static final long RUN = 256;

  private Bandwidth() {}

  /** Bytes per second, of the fastest round. */
  static double measure(int threads) throws Exception {
    ToLongFunction<MemorySegment> read =
        NativeLibrary.lack().isEmpty() ? MachineLimits.open()::read : Bandwidth::all;
    try (var arena = Arena.ofShared();
        var together = new AtOnce(threads)) {
      var memory = arena.allocate(BYTES, 64);
      memory.fill((byte) 1);
      long part = BYTES / threads / RUN * RUN;
      long fastest = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        long nanos =
            together.time(thread -> requireRead(read, memory.asSlice(thread * part, part)));
        fastest = Math.min(fastest, nanos);
      }
      return (double) part * threads * 1e9 / fastest;
    }
  }

  /** All words by exclusive or, four at a time that do not wait for each other. */
  private static long all(MemorySegment memory) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    int words = (int) (memory.byteSize() / Long.BYTES);
    for (int i = 0; i < words; i += 4) {
      a ^= memory.getAtIndex(JAVA_LONG, i);
      b ^= memory.getAtIndex(JAVA_LONG, i + 1);
      c ^= memory.getAtIndex(JAVA_LONG, i + 2);
      d ^= memory.getAtIndex(JAVA_LONG, i + 3);
    }
    return a ^ b ^ c ^ d;
  }

  /**
   * Uses what was read, so that no compiler leaves the reading out: equal words, an even number.
   */
  private static void requireRead(ToLongFunction<MemorySegment> read, MemorySegment memory) {
    if (read.applyAsLong(memory) != 0) {
      throw new IllegalStateException("memory does not hold what was written");
    }
  }
}
