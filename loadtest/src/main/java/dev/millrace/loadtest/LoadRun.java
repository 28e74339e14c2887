package dev.millrace.loadtest;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One run in progress: which call is next, when it is due, and what came of it. Used by many
 * virtual threads at once.
 *
 * <p>Gatling makes its simulation from a class name and hands nothing over, so the run waits for it
 * in {@link #CURRENT}: the one place where state passes through a static field.
 */
final class LoadRun {
  /** Set by {@link LoadRunner} for the length of one run. */
  static final AtomicReference<@Nullable LoadRun> CURRENT = new AtomicReference<>();

  /** From the first user's start to time zero of an open loop, so that all users are up by then. */
  private static final long SETTLING_NANOS = 200_000_000;

  private final LoadPlan plan;
  private final CompletionClient client;
  private final IntConsumer progress;
  private final Measurements measurements = new Measurements();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLong start = new AtomicLong();
  private final AtomicReference<@Nullable Throwable> fault = new AtomicReference<>();

  LoadRun(LoadPlan plan, Target target, IntConsumer progress) {
    this.plan = plan;
    this.client = new CompletionClient(target);
    this.progress = progress;
  }

  LoadPlan plan() {
    return plan;
  }

  Measurements measurements() {
    return measurements;
  }

  @Nullable Throwable fault() {
    return fault.get();
  }

  /** Whether a user of a closed loop should go on. */
  boolean hasMore() {
    return fault.get() == null && next.get() < plan.calls().size();
  }

  /**
   * Takes the next call, waits until it is due, sends it, and records and returns what came of it;
   * null if all calls are taken or the run has failed. {@code free} is when the calling user was
   * ready.
   */
  @Nullable Outcome sendNext(long free) {
    int index = next.getAndIncrement();
    if (index >= plan.calls().size()) {
      return null;
    }
    try {
      long due =
          switch (plan.pace()) {
            case Pace.ClosedLoop _ -> free;
            case Pace.OpenLoop(var arrivals) ->
                await(startFrom(free) + arrivals.offsetNanos(index));
          };
      var outcome = client.send(plan.calls().get(index), due);
      progress.accept(measurements.add(index, outcome));
      return outcome;
    } catch (RuntimeException | Error e) {
      // our own mistake, not the server's: it must end the run, not count as an error of the server
      fault.compareAndSet(null, e);
      return null;
    }
  }

  private long startFrom(long free) {
    // nanoTime may be any number, zero too; a run that starts exactly there is not worth a flag
    start.compareAndSet(0, free + SETTLING_NANOS);
    return start.get();
  }

  private static long await(long due) {
    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
    return due;
  }
}
