package dev.millrace.spi.schedule;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler's decision. Preemptions come first: their blocks are free before the grants take any.
 * A waiting sequence that is granted tokens starts running.
 *
 * @param grants who computes how many tokens
 * @param preempt running sequences that lose their blocks and go back to the head of the queue
 * @param wakeAtNanos with no grants: when to ask again, on the view's clock, unless something
 *     happens before; {@link Long#MAX_VALUE}: only when something happens
 * @param memo handed back with the next view; values of the JDK only (strings, numbers, lists,
 *     maps, …), dropped when the scheduler is switched
 */
public record StepPlan(
    List<Grant> grants, List<Long> preempt, long wakeAtNanos, @Nullable Object memo) {
  public StepPlan {
    grants = List.copyOf(grants);
    preempt = List.copyOf(preempt);
  }

  public static StepPlan of(List<Grant> grants) {
    return new StepPlan(grants, List.of(), Long.MAX_VALUE, null);
  }

  public static StepPlan of(List<Grant> grants, List<Long> preempt) {
    return new StepPlan(grants, preempt, Long.MAX_VALUE, null);
  }

  /** Nothing to run; ask again at the given time or when something happens. */
  public static StepPlan waitUntil(long wakeAtNanos) {
    return new StepPlan(List.of(), List.of(), wakeAtNanos, null);
  }

  /** The same plan with a memo. */
  public StepPlan withMemo(@Nullable Object newMemo) {
    return new StepPlan(grants, preempt, wakeAtNanos, newMemo);
  }
}
