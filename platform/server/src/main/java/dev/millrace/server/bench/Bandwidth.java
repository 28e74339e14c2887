package dev.millrace.server.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * How fast this machine reads memory: each thread sums a part of an array beyond the caches, all
 * beginning at once. Whatever else runs meanwhile takes time and bandwidth away and never adds any,
 * so the fastest of many rounds is nearest to what the machine can do; the first ones also warm up.
 */
final class Bandwidth {
  private static final long BYTES = 512L << 20;
  private static final int ROUNDS = 25;

  /** Longs that are read at a time: two cache lines, by sums that do not wait for each other. */
  private static final int RUN = 16;

  private Bandwidth() {}

  /** Bytes per second, of the fastest round. */
  static double measure(int threads) throws Exception {
    try (var arena = Arena.ofShared();
        var pool = Executors.newFixedThreadPool(threads)) {
      var segment = arena.allocate(BYTES, 64);
      segment.fill((byte) 1);
      long part = BYTES / threads / (8 * RUN) * (8 * RUN);
      double most = 0;
      for (int round = 0; round < ROUNDS; round++) {
        most = Math.max(most, round(segment, part, threads, pool));
      }
      return most;
    }
  }

  private static double round(MemorySegment segment, long part, int threads, ExecutorService pool)
      throws Exception {
    var ready = new CyclicBarrier(threads);
    var parts = new ArrayList<Callable<long[]>>();
    for (int i = 0; i < threads; i++) {
      var own = segment.asSlice(i * part, part);
      parts.add(() -> {
        ready.await();
        long start = System.nanoTime();
        requireCounted(sum(own), part);
        return new long[] {start, System.nanoTime()};
      });
    }
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    for (var done : pool.invokeAll(parts)) {
      first = Math.min(first, done.get()[0]);
      last = Math.max(last, done.get()[1]);
    }
    return (double) part * threads * 1e9 / (last - first);
  }

  private static long sum(MemorySegment segment) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    int longs = (int) (segment.byteSize() / 8);
    for (int i = 0; i < longs; i += RUN) {
      for (int j = i; j < i + RUN; j += 4) {
        a += segment.getAtIndex(JAVA_LONG, j);
        b += segment.getAtIndex(JAVA_LONG, j + 1);
        c += segment.getAtIndex(JAVA_LONG, j + 2);
        d += segment.getAtIndex(JAVA_LONG, j + 3);
      }
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
