package dev.millrace.engine.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share the slices of a phase. The caller is worker 0; the others spin for a moment
 * between phases, then park. Which worker takes which slice is left to chance, so a slice's result
 * must not depend on it.
 */
final class Workers implements AutoCloseable {
  /** Longest wait that is cheaper to spin than to sleep and be woken. */
  private static final long SPIN_NANOS = 50_000;

  private static final long STOP = -1;

  /** A part of a phase. */
  interface Slice {
    /**
     * Computes one slice.
     *
     * @param worker 0 to {@link Workers#count()} − 1; no two run at once under the same number
     */
    void run(int slice, int worker);
  }

  private final Thread[] helpers;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicLong phase = new AtomicLong();
  private volatile @Nullable Throwable failure;
  private @Nullable Slice body;
  private int slices;

  Workers(int threads) {
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      int worker = i + 1;
      helpers[i] = Thread.ofPlatform().daemon().name("cpu-" + worker).start(() -> serve(worker));
    }
  }

  int count() {
    return helpers.length + 1;
  }

  /**
   * Runs all slices and returns when the last is done. What a slice throws is thrown here,
   * whichever thread it ran on; anything but a RuntimeException as the cause of an
   * IllegalStateException.
   */
  void run(int count, Slice slice) {
    next.set(0);
    if (helpers.length == 0 || count <= 1) {
      take(slice, count, 0);
    } else {
      share(slice, count);
    }
    var thrown = failure;
    if (thrown != null) {
      failure = null;
      throw thrown instanceof RuntimeException known
          ? known
          : new IllegalStateException("a slice failed: " + thrown, thrown);
    }
  }

  private void share(Slice slice, int count) {
    body = slice;
    slices = count;
    busy.set(helpers.length);
    phase.incrementAndGet(); // publishes the fields above
    for (var helper : helpers) {
      LockSupport.unpark(helper);
    }
    take(slice, count, 0);
    awaitHelpers();
  }

  private void serve(int worker) {
    long seen = 0;
    while (true) {
      seen = awaitPhase(seen);
      if (seen == STOP) {
        return;
      }
      var slice = body;
      if (slice != null) {
        take(slice, slices, worker);
      }
      busy.decrementAndGet();
    }
  }

  /** Spins while the others finish, and makes room for them where there are too few cores. */
  @SuppressWarnings("ThreadPriorityCheck") // a hint, where spinning would keep helpers away
  private void awaitHelpers() {
    long start = System.nanoTime();
    while (busy.get() > 0) {
      if (System.nanoTime() - start < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private long awaitPhase(long seen) {
    long start = System.nanoTime();
    while (phase.get() == seen) {
      if (System.nanoTime() - start < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        LockSupport.park(this);
      }
    }
    return phase.get();
  }

  private void take(Slice slice, int count, int worker) {
    try {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        slice.run(i, worker);
      }
    } catch (Throwable e) { // a thread that ended here would be waited for for ever
      failure = e;
    }
  }

  @Override
  public void close() {
    phase.set(STOP);
    for (var helper : helpers) {
      LockSupport.unpark(helper);
    }
  }
}
