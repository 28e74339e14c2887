package dev.millrace.engine.schedule;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.SequenceView;

/**
 * A sequence as a view showed it, by value.
 *
 * @param held {@link BlockCounts#heldBlocks}
 * @param freed {@link BlockCounts#freedBlocks}
 */
public record FrozenSequence(
    long id,
    long request,
    int computed,
    int total,
    int maxTotal,
    int priority,
    String tenant,
    long arrivalNanos,
    long deadlineNanos,
    int preemptions,
    int held,
    int freed)
    implements SequenceView, BlockCounts {

  /** The sequence as this view shows it now. */
  public static FrozenSequence of(SequenceView sequence, EngineView view) {
    int needed = Math.ceilDiv(sequence.computed() + 1, view.limits().blockSize());
    return of(
        sequence,
        sequence.total(),
        sequence.computed(),
        sequence.preemptions(),
        needed - view.blocksFor(sequence, 1),
        view.freedBy(sequence));
  }

  /** The same sequence at another time. */
  public static FrozenSequence of(
      SequenceView sequence, int total, int computed, int preemptions, int held, int freed) {
    return new FrozenSequence(
        sequence.id(),
        sequence.request(),
        computed,
        total,
        sequence.maxTotal(),
        sequence.priority(),
        sequence.tenant(),
        sequence.arrivalNanos(),
        sequence.deadlineNanos(),
        preemptions,
        held,
        freed);
  }

  @Override
  public int heldBlocks(int blockSize) {
    return held;
  }

  @Override
  public int freedBlocks(int blockSize) {
    return freed;
  }
}
