package dev.millrace.schedulers;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Starts the sequence with the shortest rest first, as far as the rest is known: what it may still
 * come to, and of equals what is pending now. Running sequences go on in order of admission. One
 * that has waited for long enough is no longer overtaken: those start first, in order of arrival.
 */
record ShortestFirst(long maxWaitNanos) implements Scheduler {
  private static final Comparator<SequenceView> BY_REST =
      Comparator.<SequenceView>comparingInt(s -> s.maxTotal() - s.computed())
          .thenComparingInt(SequenceView::pending);

  @Override
  public StepPlan plan(EngineView view) {
    var budget = new Budget(view);
    budget.serveRunning();
    if (!budget.mayStart()) {
      return budget.plan();
    }
    int spareBlocks = view.running().size();
    for (var sequence : inOrder(view)) {
      if (!budget.start(sequence, spareBlocks)) {
        break; // a longer one that needs fewer blocks must not overtake either
      }
    }
    return budget.plan();
  }

  private List<SequenceView> inOrder(EngineView view) {
    var patient = new ArrayList<SequenceView>();
    var order = new ArrayList<SequenceView>();
    for (var sequence : view.waiting()) {
      long waited = view.nowNanos() - sequence.arrivalNanos();
      (waited < maxWaitNanos ? patient : order).add(sequence);
    }
    order.sort(Comparator.comparingLong(s -> s.arrivalNanos() - view.nowNanos()));
    patient.sort(BY_REST);
    order.addAll(patient);
    return order;
  }
}
