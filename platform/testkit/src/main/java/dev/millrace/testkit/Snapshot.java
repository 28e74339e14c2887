package dev.millrace.testkit;

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
      int preemptions)
      implements SequenceView {

    static Frozen of(SequenceView sequence) {
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
          sequence.preemptions());
    }
  }

  static Snapshot of(EngineView view) {
    return new Snapshot(
        view.waiting().stream().map(Frozen::of).toList(),
        view.running().stream().map(Frozen::of).toList(),
        view.limits(),
        view.nowNanos(),
        Memo.copy(view.memo()),
        view.freeBlocks());
  }

  /** An equal view that shares no object with the first. */
  EngineView view() {
    return new LiveView(
            waiting.stream().map(Frozen::of).toList(),
            running.stream().map(Frozen::of).toList(),
            limits)
        .at(nowNanos, Memo.copy(memo), freeBlocks);
  }
}
