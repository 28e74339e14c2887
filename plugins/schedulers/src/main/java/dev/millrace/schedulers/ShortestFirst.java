package dev.millrace.schedulers;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Starts the sequence with the shortest rest first, as far as the rest is known: what it may still
 * come to, and of equals what is pending now. Running sequences go on in order of admission. One
 * that has waited for long enough is no longer overtaken: those start first, in order of arrival.
 */
record ShortestFirst(long maxWaitNanos) implements Scheduler {
  private static final Comparator<SequenceView> BY_REST =
      Comparator.<SequenceView>comparingInt(s -> s.maxTotal() - s.computed())
          .thenComparingInt(SequenceView::pending)
          .thenComparingLong(SequenceView::id);
  private static final Comparator<SequenceView> BY_ARRIVAL =
      Comparator.<SequenceView>comparingLong(SequenceView::id); // ids are given in this order

  @Override
  public StepPlan plan(EngineView view) {
    var budget = new Budget(view);
    budget.serveRunning();
    if (!budget.mayStart()) {
      return budget.plan();
    }
    int spareBlocks = view.running().size();
    var queue = inOrder(view);
    for (var sequence = queue.poll(); sequence != null; sequence = queue.poll()) {
      if (!budget.start(sequence, spareBlocks)) {
        break; // a longer one that needs fewer blocks must not overtake either
      }
    }
    return budget.plan();
  }

  private PriorityQueue<SequenceView> inOrder(EngineView view) {
    long now = view.nowNanos();
    var queue =
        new PriorityQueue<SequenceView>(
            view.waiting().size() + 1, (one, other) -> compare(one, other, now));
    queue.addAll(view.waiting());
    return queue;
  }

  private int compare(SequenceView one, SequenceView other, long now) {
    boolean oneIsDue = now - one.arrivalNanos() >= maxWaitNanos;
    boolean otherIsDue = now - other.arrivalNanos() >= maxWaitNanos;
    if (oneIsDue != otherIsDue) {
      return oneIsDue ? -1 : 1;
    }
    return (oneIsDue ? BY_ARRIVAL : BY_REST).compare(one, other);
  }
}
