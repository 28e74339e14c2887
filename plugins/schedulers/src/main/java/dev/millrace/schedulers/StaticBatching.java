package dev.millrace.schedulers;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * Runs one batch from its first step to the end of its last sequence. A batch is taken when it is
 * full, by sequences or by blocks, or when its oldest sequence has waited long enough; it gets the
 * blocks for its longest possible lengths before its first step, and nobody joins it later. Within
 * a batch nothing is held back: a step is as large as any other scheduler's, and a sequence decodes
 * as soon as its own prompt is done.
 *
 * <p>Further answers to a prompt of the batch are part of it: they start as soon as the prompt is
 * computed, as far as there is room for their longest lengths.
 *
 * <p>Sequences that run when this scheduler takes over are its first batch; as nothing was reserved
 * for them, they may have to preempt each other. The memo lists the sequences of the batch that
 * have not started yet because the first steps had no tokens left for them.
 */
record StaticBatching(int batchSize, long maxWaitNanos) implements Scheduler {
  @Override
  public StepPlan plan(EngineView view) {
    var unstarted = unstarted(view);
    if (unstarted.isEmpty() && view.running().isEmpty() && !view.waiting().isEmpty()) {
      unstarted = nextBatch(view);
      long wait = maxWaitNanos - longestWait(view);
      if (wait > 0 && !isFull(unstarted, view)) {
        return StepPlan.waitUntil(view.nowNanos() + wait);
      }
    }
    var budget = new Budget(view);
    budget.serveRunning();
    startSiblings(budget, view, unstarted);
    int started = 0;
    while (started < unstarted.size() && budget.start(unstarted.get(started), 0)) {
      started++;
    }
    var left = unstarted.subList(started, unstarted.size());
    return budget.plan().withMemo(left.stream().map(SequenceView::id).toList());
  }

  /** The waiting sequences that have a place in the running batch. */
  private static List<SequenceView> unstarted(EngineView view) {
    if (!(view.memo() instanceof List<?> ids) || ids.isEmpty()) {
      return List.of();
    }
    var members = new HashSet<>(ids);
    return view.waiting().stream().filter(sequence -> members.contains(sequence.id())).toList();
  }

  /** Starts those that wait for nothing but the prompt of a running one. */
  private void startSiblings(Budget budget, EngineView view, List<SequenceView> unstarted) {
    if (view.waiting().isEmpty() || !budget.mayStart()) {
      return;
    }
    int places = places(view) - view.running().size() - unstarted.size();
    // what the members may still take is theirs, though it is free by now
    int blocks = view.freeBlocks() - toTheEnd(view.running(), view) - toTheEnd(unstarted, view);
    var requests = new HashSet<Long>();
    view.running().forEach(sequence -> requests.add(sequence.request()));
    for (var sequence : view.waiting()) {
      int needed = toTheEnd(List.of(sequence), view);
      if (places > 0
          && needed <= blocks
          && requests.contains(sequence.request())
          && !unstarted.contains(sequence)
          && budget.start(sequence, 0)) {
        places--;
        blocks -= needed;
      }
    }
  }

  /** Blocks that the sequences may yet ask for. */
  private static int toTheEnd(List<SequenceView> sequences, EngineView view) {
    int blocks = 0;
    for (var sequence : sequences) {
      blocks += view.blocksFor(sequence, sequence.maxTotal() - sequence.computed());
    }
    return blocks;
  }

  /** The first waiting sequences, as many as can run to their longest lengths side by side. */
  private List<SequenceView> nextBatch(EngineView view) {
    var batch = new ArrayList<SequenceView>();
    int blocks = view.freeBlocks();
    for (var sequence : view.waiting()) {
      blocks -= view.blocksFor(sequence, sequence.maxTotal() - sequence.computed());
      // one alone always gets in: the engine takes only what the empty pool can hold
      if (batch.size() == places(view) || (blocks < 0 && !batch.isEmpty())) {
        break;
      }
      batch.add(sequence);
    }
    return batch;
  }

  /** Whether waiting longer could not add anybody. */
  private boolean isFull(List<SequenceView> batch, EngineView view) {
    return batch.size() == places(view) || batch.size() < view.waiting().size();
  }

  private int places(EngineView view) {
    return Math.min(batchSize, view.limits().sequences());
  }

  private static long longestWait(EngineView view) {
    return view.waiting().stream()
        .mapToLong(sequence -> view.nowNanos() - sequence.arrivalNanos())
        .max()
        .orElse(0);
  }
}
