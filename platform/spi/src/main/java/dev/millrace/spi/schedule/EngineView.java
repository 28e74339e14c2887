package dev.millrace.spi.schedule;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What may be scheduled now. Valid during one call of {@link Scheduler#plan} only. The view does
 * all block arithmetic, so that a scheduler needs to know nothing of how blocks are shared.
 *
 * <p>On some devices a step is planned while the one before it runs. What that one computes then
 * counts as computed, and all its sequences as going on.
 */
public interface EngineView {
  /**
   * Sequences that hold no blocks: new ones in order of arrival, and before them preempted ones and
   * those that a running sequence has computed the prompt for.
   */
  List<SequenceView> waiting();

  /** Sequences that hold blocks, in order of admission. */
  List<SequenceView> running();

  Limits limits();

  /** The engine's clock, in nanoseconds; only differences mean anything. */
  long nowNanos();

  /** What the last plan of this scheduler left; null at first. */
  @Nullable Object memo();

  int freeBlocks();

  /**
   * Blocks that must be free for the sequence to take so many tokens more. The sum over a plan is
   * always enough; where sequences share blocks it may be more than is taken in the end.
   */
  int blocksFor(SequenceView sequence, int tokens);

  /** Blocks that become free when the sequence is preempted: those it shares with nobody. */
  int freedBy(SequenceView sequence);
}
