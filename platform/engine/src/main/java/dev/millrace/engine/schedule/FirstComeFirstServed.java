package dev.millrace.engine.schedule;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * The plan the engine falls back to when a scheduler fails: running sequences in order of
 * admission, then waiting ones in order of arrival, as far as tokens and blocks go. The youngest
 * running sequence gives way when an older one cannot go on.
 */
public final class FirstComeFirstServed implements Scheduler {
  @Override
  public StepPlan plan(EngineView view) {
    var keep = new ArrayList<>(view.running());
    var preempt = new ArrayList<Long>();
    var grants = new ArrayList<Grant>();
    int tokens = view.limits().tokensPerStep();
    int blocks = view.freeBlocks();
    for (int i = 0; i < keep.size() && tokens > 0; i++) {
      SequenceView sequence = keep.get(i);
      int wanted = Math.min(sequence.pending(), tokens);
      int take = fitting(view, sequence, wanted, blocks);
      while (take == 0 && keep.size() > i + 1) {
        var victim = keep.removeLast();
        preempt.add(victim.id());
        blocks += view.freedBy(victim);
        take = fitting(view, sequence, wanted, blocks);
      }
      if (take > 0) {
        grants.add(new Grant(sequence.id(), take));
        tokens -= take;
        blocks -= view.blocksFor(sequence, take);
      }
    }
    if (preempt.isEmpty()) {
      admit(view, keep.size(), tokens, blocks, grants);
    }
    return StepPlan.of(grants, preempt);
  }

  private static void admit(
      EngineView view, int running, int tokens, int blocks, List<Grant> grants) {
    int places = view.limits().sequences() - running;
    for (var sequence : view.waiting()) {
      int take =
          places > 0 ? fitting(view, sequence, Math.min(sequence.pending(), tokens), blocks) : 0;
      if (take == 0) {
        return;
      }
      grants.add(new Grant(sequence.id(), take));
      places--;
      tokens -= take;
      blocks -= view.blocksFor(sequence, take);
    }
  }

  /** As many of the tokens as the free blocks hold. */
  private static int fitting(EngineView view, SequenceView sequence, int tokens, int blocks) {
    int take = tokens;
    while (take > 0 && view.blocksFor(sequence, take) > blocks) {
      int blockSize = view.limits().blockSize();
      int over = (sequence.computed() + take) % blockSize;
      take -= Math.min(take, over == 0 ? blockSize : over);
    }
    return take;
  }
}
