package dev.millrace.engine.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share the slices of a phase. The caller is worker 0; the others spin for a moment
 * between phases, then park. Each begins with a run of slices of its own, because memory is read
 * fastest in order, and then takes what others have left of theirs; the caller waits only for
 * slices that are being computed: a worker that the system lets wait costs nothing but its help.
 * Which worker takes which slice is left to chance, so a slice's result must not depend on it.
 */
final class Workers implements AutoCloseable {
  /** Longest wait that is cheaper to spin than to sleep and be woken. */
  private static final long SPIN_NANOS = 50_000;

  /** A part of a phase. */
  interface Slice {
    /**
     * Computes one slice.
     *
     * @param worker 0 to {@link Workers#count()} − 1; no two run at once under the same number
     */
    void run(int slice, int worker);
  }

  /** The first slice of each of so many runs that are about as long; then the number of slices. */
  static int[] starts(int slices, int runs) {
    int[] starts = new int[runs + 1];
    for (int run = 0; run <= runs; run++) {
      starts[run] = (int) ((long) slices * run / runs);
    }
    return starts;
  }

  /**
   * What is shared out at a time.
   *
   * @param starts the first slice of each run; of the run after the last, the number of slices
   */
  private record Phase(int number, int[] starts, Slice body) {
    int start(int run) {
      return starts[run];
    }

    int count() {
      return starts[starts.length - 1];
    }

    /** A run's claims when so many slices before that one are taken. */
    long claims(int slice) {
      return (long) number << 32 | slice;
    }

    /** Whether claims are claims of this phase, and one is left before that slice. */
    boolean open(long claims, int end) {
      return (int) (claims >>> 32) == number && (int) claims < end;
    }
  }

  /** Words from one run's claims to the next one's, so that no two share a cache line. */
  private static final int APART = 16;

  private final Helper[] helpers;
  private final Cores cores;

  /**
   * Of each run, the phase's number and the next slice in one word: who takes a slice knows by the
   * same step that its phase still runs.
   */
  private final AtomicLongArray claims;

  private int phases;
  private final AtomicInteger done = new AtomicInteger();
  private volatile Phase phase = new Phase(0, new int[1], (_, _) -> {});
  private volatile @Nullable Throwable failure;
  private volatile boolean closed;

  Workers(int threads) {
    helpers = new Helper[threads - 1];
    cores = Cores.of(threads);
    claims = new AtomicLongArray(threads * APART);
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper(i + 1);
    }
  }

  /** Makes the calling thread the one that calls {@link #run} from now on. */
  void attach() {
    cores.bind(0);
  }

  int count() {
    return helpers.length + 1;
  }

  /** Runs so many slices, which are about as long; as {@link #run(int[], Slice)}. */
  void run(int count, Slice slice) {
    run(starts(count, count()), slice);
  }

  /**
   * Runs all slices and returns when the last is done. What a slice throws is thrown here,
   * whichever thread it ran on; anything but a RuntimeException as the cause of an
   * IllegalStateException.
   *
   * @param starts the first slice of each worker's own run; then the number of slices
   */
  void run(int[] starts, Slice slice) {
    var begun = new Phase(++phases, starts, slice);
    int count = begun.count();
    done.set(0);
    for (int run = 0; run < count(); run++) {
      claims.set(run * APART, begun.claims(begun.start(run)));
    }
    if (count > 1) { // one slice is done before a helper has heard of it
      phase = begun;
      for (var helper : helpers) {
        helper.wake();
      }
    }
    take(begun, 0);
    awaitSlices(count);
    var thrown = failure;
    if (thrown != null) {
      failure = null;
      throw thrown instanceof RuntimeException known
          ? known
          : new IllegalStateException("a slice failed: " + thrown, thrown);
    }
  }

  /** Takes slices as long as there are any, those of the worker's own run first. */
  private void take(Phase current, int worker) {
    int runs = count();
    int taken = 0; // told together: threads that write one counter wait for each other
    try {
      for (int i = 0; i < runs; i++) {
        int run = (worker + i) % runs;
        int end = current.start(run + 1);
        int word = run * APART;
        for (long seen = claims.get(word); current.open(seen, end); seen = claims.get(word)) {
          if (claims.compareAndSet(word, seen, seen + 1)) {
            compute(current, (int) seen, worker);
            taken++;
          }
        }
      }
    } finally {
      done.addAndGet(taken);
    }
  }

  private void compute(Phase current, int slice, int worker) {
    try {
      current.body().run(slice, worker);
    } catch (Throwable e) { // a thread that ended here would be waited for for ever
      failure = e;
    }
  }

  /** Spins while the others finish, and makes room for them where there are too few cores. */
  @SuppressWarnings("ThreadPriorityCheck") // a hint, where spinning would keep helpers away
  private void awaitSlices(int count) {
    if (done.get() == count) {
      return;
    }
    long start = System.nanoTime();
    while (done.get() < count) {
      if (System.nanoTime() - start < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    for (var helper : helpers) {
      LockSupport.unpark(helper.thread);
    }
  }

  private final class Helper implements Runnable {
    private final int worker;
    private final Thread thread;
    private volatile boolean parked;

    /** Number of the phase that it has last helped with. */
    private int helped = phase.number();

    Helper(int worker) {
      this.worker = worker;
      this.thread = Thread.ofPlatform().daemon().name("cpu-" + worker).unstarted(this);
      thread.start();
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(thread);
      }
    }

    @Override
    public void run() {
      cores.bind(worker);
      long idle = System.nanoTime();
      while (!closed) {
        if (helped != phase.number()) {
          help();
          idle = System.nanoTime();
        } else if (System.nanoTime() - idle < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          sleep();
          idle = System.nanoTime();
        }
      }
    }

    /** The JVM may throw for a mapped page that could not be read when the slice is over. */
    private void help() {
      var current = phase;
      helped = current.number();
      try {
        take(current, worker);
      } catch (InternalError e) {
        failure = e;
      }
    }

    /** Announced before the last look, so that no phase begins unseen. */
    private void sleep() {
      parked = true;
      while (helped == phase.number() && !closed) {
        LockSupport.park(Workers.this);
      }
      parked = false;
    }
  }
}
