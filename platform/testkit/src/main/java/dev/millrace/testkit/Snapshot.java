package dev.millrace.testkit;

import dev.millrace.engine.schedule.FrozenSequence;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Limits;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything a view shows, by value. */
record Snapshot(
    List<FrozenSequence> waiting,
    List<FrozenSequence> running,
    Limits limits,
    long nowNanos,
    @Nullable Object memo,
    int freeBlocks) {

  static Snapshot of(EngineView view) {
    return new Snapshot(
        view.waiting().stream().map(sequence -> FrozenSequence.of(sequence, view)).toList(),
        view.running().stream().map(sequence -> FrozenSequence.of(sequence, view)).toList(),
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
