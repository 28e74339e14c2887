package dev.millrace.server.bench;

import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Threads that do the same at the same time. */
final class AtOnce implements AutoCloseable {
  private final int threads;
  private final ExecutorService pool;

  AtOnce(int threads) {
    this.threads = threads;
    this.pool = Executors.newFixedThreadPool(threads);
  }

  /** A thread's part of the work. */
  interface Part {
    void run(int thread);
  }

  /** Runs a part on each thread, all beginning at once: nanoseconds from the first start on. */
  long time(Part part) throws Exception {
    var ready = new CyclicBarrier(threads);
    var parts = new ArrayList<Callable<long[]>>();
    for (int i = 0; i < threads; i++) {
      int thread = i;
      parts.add(() -> {
        ready.await();
        long start = System.nanoTime();
        part.run(thread);
        return new long[] {start, System.nanoTime()};
      });
    }
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    for (var done : pool.invokeAll(parts)) {
      first = Math.min(first, done.get()[0]);
      last = Math.max(last, done.get()[1]);
    }
    return last - first;
  }

  @Override
  public void close() {
    pool.close();
  }
}
