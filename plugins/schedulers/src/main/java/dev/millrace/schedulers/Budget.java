package dev.millrace.schedulers;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * The tokens, blocks and places that one step still has, and the plan made of what was handed out.
 * Used once.
 */
final class Budget {
  private final EngineView view;
  private final List<Grant> grants = new ArrayList<>();
  private final List<Long> preempted = new ArrayList<>();
  private int tokens;
  private int blocks;
  private int places;

  Budget(EngineView view) {
    this.view = view;
    this.tokens = view.limits().tokensPerStep();
    this.blocks = view.freeBlocks();
    this.places = view.limits().sequences() - view.running().size();
  }

  /**
   * Serves the running sequences in order of admission. One that cannot get a single token's block
   * takes those of a younger one: of the one with the least computed, which is the cheapest to do
   * again.
   */
  void serveRunning() {
    var served = new ArrayList<>(view.running());
    for (int i = 0; i < served.size() && tokens > 0; i++) {
      while (!grant(served.get(i)) && i + 1 < served.size()) {
        preempt(served.remove(leastComputed(served, i + 1)));
      }
    }
  }

  /**
   * Starts a waiting sequence if there is room for all the tokens it has by now; false if it must
   * wait on. A step that took blocks away starts nothing: the next to start would be the one they
   * were taken from.
   *
   * @param spareBlocks must stay free besides
   */
  boolean start(SequenceView sequence, int spareBlocks) {
    boolean starts =
        places > 0
            && preempted.isEmpty()
            && view.blocksFor(sequence, sequence.pending()) + spareBlocks <= blocks
            && grant(sequence);
    if (starts) {
      places--;
    }
    return starts;
  }

  StepPlan plan() {
    return StepPlan.of(grants, preempted);
  }

  /** Grants as many tokens as there are tokens and blocks for; false if that is none. */
  private boolean grant(SequenceView sequence) {
    int take = Math.min(sequence.pending(), tokens);
    while (take > 0 && view.blocksFor(sequence, take) > blocks) {
      int inLastBlock = (sequence.computed() + take - 1) % view.limits().blockSize() + 1;
      take = Math.max(0, take - inLastBlock);
    }
    if (take == 0) {
      return false;
    }
    grants.add(new Grant(sequence.id(), take));
    tokens -= take;
    blocks -= view.blocksFor(sequence, take);
    return true;
  }

  private void preempt(SequenceView victim) {
    preempted.add(victim.id());
    blocks += view.freedBy(victim);
  }

  /** Of equals the youngest. */
  private static int leastComputed(List<SequenceView> sequences, int from) {
    int least = from;
    for (int i = from + 1; i < sequences.size(); i++) {
      if (sequences.get(i).computed() <= sequences.get(least).computed()) {
        least = i;
      }
    }
    return least;
  }
}
