package dev.millrace.testkit;

import dev.millrace.engine.schedule.BlockCounts;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.SequenceView;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything a view shows, by value. */
record Snapshot(
    List<Frozen> waiting,
    List<Frozen> running,
    Limits limits,
    long nowNanos,
    @Nullable Object memo,
    int freeBlocks) {

  record Frozen(
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

    static Frozen of(SequenceView sequence, EngineView view) {
      int blockSize = view.limits().blockSize();
      int needed = Math.ceilDiv(sequence.computed() + 1, blockSize);
      return new Frozen(
          sequence.id(),
          sequence.request(),
          sequence.computed(),
          sequence.total(),
          sequence.maxTotal(),
          sequence.priority(),
          sequence.tenant(),
          sequence.arrivalNanos(),
          sequence.deadlineNanos(),
          sequence.preemptions(),
          needed - view.blocksFor(sequence, 1),
          view.freedBy(sequence));
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

  static Snapshot of(EngineView view) {
    return new Snapshot(
        view.waiting().stream().map(sequence -> Frozen.of(sequence, view)).toList(),
        view.running().stream().map(sequence -> Frozen.of(sequence, view)).toList(),
        view.limits(),
        view.nowNanos(),
        Memo.copy(view.memo()),
        view.freeBlocks());
  }

  /** An equal view that shares no object with the first. */
  EngineView view() {
    return new LiveView(List.copyOf(waiting), List.copyOf(running), limits)
        .at(nowNanos, Memo.copy(memo), freeBlocks);
  }
}
