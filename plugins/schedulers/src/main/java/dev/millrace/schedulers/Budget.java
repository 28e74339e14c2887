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
  private final List<Grant> grants;
  private final List<Long> preempted = new ArrayList<>();
  private int tokens;
  private int blocks;
  private int places;

  Budget(EngineView view) {
    this.view = view;
    this.grants = new ArrayList<>(view.running().size() + 4);
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
    for (int i = 0; i < served.size() && hasTokens(); i++) {
      while (!grant(served.get(i)) && i + 1 < served.size()) {
        preempt(served.remove(leastComputed(served, i + 1)));
      }
    }
  }

  boolean hasTokens() {
    return tokens > 0;
  }

  /**
   * Whether a waiting sequence might still be started. A step that took blocks away starts nothing:
   * the next to start would be the one they were taken from.
   */
  boolean mayStart() {
    return tokens > 0 && places > 0 && preempted.isEmpty();
  }

  /**
   * Starts a waiting sequence if there is room for all the tokens it has by now; false if it must
   * wait on.
   *
   * @param spareBlocks must stay free besides
   */
  boolean start(SequenceView sequence, int spareBlocks) {
    return preempted.isEmpty() && startAnyway(sequence, spareBlocks);
  }

  /** The same, though others may have lost their blocks in this step: for the one they lost to. */
  boolean startAnyway(SequenceView sequence, int spareBlocks) {
    boolean starts =
        tokens > 0 && places > 0 && missingBlocks(sequence) + spareBlocks <= 0 && grant(sequence);
    if (starts) {
      places--;
    }
    return starts;
  }

  /** Blocks that are lacking for all the tokens a sequence has by now; 0 or less if none are. */
  int missingBlocks(SequenceView sequence) {
    return view.blocksFor(sequence, sequence.pending()) - blocks;
  }

  /** Sequences that are too many for one more to start; 0 or less if none is. */
  int missingPlaces() {
    return 1 - places;
  }

  StepPlan plan() {
    return StepPlan.of(grants, preempted);
  }

  /** Grants as many tokens as there are tokens and blocks for; false if that is none. */
  boolean grant(SequenceView sequence) {
    int take = Math.min(sequence.pending(), tokens);
    int needed = take == 0 ? 0 : view.blocksFor(sequence, take);
    while (take > 0 && needed > blocks) {
      int inLastBlock = (sequence.computed() + take - 1) % view.limits().blockSize() + 1;
      take = Math.max(0, take - inLastBlock);
      needed = take == 0 ? 0 : view.blocksFor(sequence, take);
    }
    if (take == 0) {
      return false;
    }
    grants.add(new Grant(sequence.id(), take));
    tokens -= take;
    blocks -= needed;
    return true;
  }

  void preempt(SequenceView victim) {
    preempted.add(victim.id());
    blocks += view.freedBy(victim);
    places++;
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
