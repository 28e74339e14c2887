package dev.millrace.schedulers;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * One plan by priority: running and waiting sequences are served in one order, the best priority
 * first, of equals those that run, in order of admission, then those that wait, in order of
 * arrival.
 *
 * <p>What a sequence lacks, blocks or a place, is taken from running ones that come after it: of
 * the worst priority, then with the least computed, then the youngest. A running sequence takes
 * from its equals, too; a waiting one only from worse ones, and only if it can start then. Nobody
 * starts before one that comes first and has to wait, be it that it just lost its blocks.
 */
final class PriorityStep {
  private static final int NONE = Integer.MAX_VALUE;
  private static final Comparator<SequenceView> BY_PRIORITY =
      Comparator.comparingInt(SequenceView::priority);

  private final EngineView view;
  private final Budget budget;
  private final List<SequenceView> running;
  private final PriorityQueue<SequenceView> waiting;
  private int served;
  private int bestVictim = NONE;

  PriorityStep(EngineView view) {
    this.view = view;
    budget = new Budget(view);
    running = new ArrayList<>(view.running());
    running.sort(BY_PRIORITY);
    waiting =
        new PriorityQueue<>(
            view.waiting().size() + 1,
            BY_PRIORITY
                .thenComparingLong(s -> s.arrivalNanos() - view.nowNanos())
                .thenComparingLong(SequenceView::id));
    waiting.addAll(view.waiting());
  }

  StepPlan plan() {
    for (var next = waiting.poll(); next != null; next = waiting.poll()) {
      serveRunning(next.priority());
      if (!budget.hasTokens() || !start(next)) {
        break;
      }
    }
    serveRunning(NONE);
    return budget.plan();
  }

  /** Serves those of this priority and of better ones. */
  private void serveRunning(int priority) {
    while (budget.hasTokens()
        && served < running.size()
        && running.get(served).priority() <= priority) {
      var sequence = running.get(served++);
      while (!budget.grant(sequence) && served < running.size()) {
        preemptWorst();
      }
    }
  }

  private boolean start(SequenceView sequence) {
    if (bestVictim == NONE && budget.start(sequence, view.running().size())) {
      return true;
    }
    int blocks = budget.missingBlocks(sequence);
    int places = budget.missingPlaces();
    boolean comesFirst = bestVictim != NONE && sequence.priority() < bestVictim;
    for (int i = served; i < running.size(); i++) { // all of them worse
      blocks -= view.freedBy(running.get(i));
      places--;
      comesFirst |= bestVictim == NONE;
    }
    if (!comesFirst || blocks > 0 || places > 0) {
      return false;
    }
    while (budget.missingBlocks(sequence) > 0 || budget.missingPlaces() > 0) {
      preemptWorst();
    }
    return budget.startAnyway(sequence, 0);
  }

  private void preemptWorst() {
    int worst = served;
    for (int i = served + 1; i < running.size(); i++) {
      if (comesBefore(running.get(i), running.get(worst))) {
        worst = i;
      }
    }
    var victim = running.remove(worst);
    bestVictim = Math.min(bestVictim, victim.priority());
    budget.preempt(victim);
  }

  /** Which of two loses its blocks first; of equals the later, which is the younger. */
  private static boolean comesBefore(SequenceView later, SequenceView earlier) {
    return later.priority() != earlier.priority()
        ? later.priority() > earlier.priority()
        : later.computed() <= earlier.computed();
  }
}
