package dev.millrace.server.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/** How fast this machine reads memory: each thread sums a part of an array beyond the caches. */
final class Bandwidth {
  private static final long BYTES = 512L << 20;
  private static final int ROUNDS = 7;

  private Bandwidth() {}

  /** Bytes per second, the median of several rounds. */
  static double measure(int threads) throws Exception {
    try (var arena = Arena.ofShared();
        var pool = Executors.newFixedThreadPool(threads)) {
      var segment = arena.allocate(BYTES, 64);
      segment.fill((byte) 1);
      double[] rates = new double[ROUNDS];
      for (int round = 0; round < ROUNDS; round++) {
        var parts = new ArrayList<Callable<Long>>();
        long part = BYTES / threads / 64 * 64;
        for (int i = 0; i < threads; i++) {
          long from = i * part;
          parts.add(() -> sum(segment.asSlice(from, part)));
        }
        long start = System.nanoTime();
        for (var done : pool.invokeAll(parts)) {
          requireCounted(done.get(), part);
        }
        rates[round] = (double) part * threads * 1e9 / (System.nanoTime() - start);
      }
      Arrays.sort(rates);
      return rates[ROUNDS / 2];
    }
  }

  private static long sum(MemorySegment segment) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    int longs = (int) (segment.byteSize() / 8);
    for (int i = 0; i < longs; i += 4) {
      a += segment.getAtIndex(JAVA_LONG, i);
      b += segment.getAtIndex(JAVA_LONG, i + 1);
      c += segment.getAtIndex(JAVA_LONG, i + 2);
      d += segment.getAtIndex(JAVA_LONG, i + 3);
    }
    return a + b + c + d;
  }

  /** Uses the sum, so that no compiler leaves the reading out. */
  private static void requireCounted(long sum, long bytes) {
    if (sum != bytes / 8 * 0x0101010101010101L) {
      throw new IllegalStateException("memory does not hold what was written");
    }
  }
}
