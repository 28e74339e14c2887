package dev.millrace.engine.flight;

import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.EventType;
import org.jspecify.annotations.Nullable;

/**
 * Leaves one JFR event for each step while a recording runs, and costs next to nothing while none
 * does. From the events of a run its views can be rebuilt and its plans be made again: {@link
 * FlightRecording}. Engine thread.
 */
public final class StepRecorder {
  private static final AtomicLong ENGINES = new AtomicLong();
  private static final EventType TYPE = EventType.getEventType(StepEvent.class);

  /** Recordings may lose their beginning; so many steps later they can be read again. */
  private static final int STEPS_BETWEEN_WHOLE_VIEWS = 1_000;

  private final long engine = ENGINES.incrementAndGet();
  private final List<Sequence> waiting;
  private final List<Sequence> running;
  private final ViewWriter writer;
  private long step;
  private long nextWhole;
  private @Nullable Object lastMemo;
  private final Deque<StepEvent> open = new ArrayDeque<>();

  /** A recorder of the engine whose live lists these are. */
  public StepRecorder(List<Sequence> waiting, List<Sequence> running, int blockSize) {
    this.waiting = waiting;
    this.running = running;
    this.writer = new ViewWriter(blockSize);
  }

  /**
   * A plan was made, and is not carried out yet.
   *
   * @param replaced whether the plan is the engine's own instead of the scheduler's
   */
  public void planned(
      String scheduler, boolean replaced, EngineView view, StepPlan plan, long planNanos) {
    step++;
    if (!TYPE.isEnabled()) {
      nextWhole = 0;
      return;
    }
    boolean whole = step >= nextWhole;
    if (whole) {
      nextWhole = step + STEPS_BETWEEN_WHOLE_VIEWS;
    }
    var made = new StepEvent();
    made.begin();
    made.engine = engine;
    made.step = step;
    made.scheduler = scheduler;
    made.replaced = replaced;
    made.whole = whole;
    made.limits = whole ? LimitsText.write(view.limits()) : "";
    made.nowNanos = view.nowNanos();
    made.freeBlocks = view.freeBlocks();
    made.waiting = waiting.size();
    made.running = running.size();
    made.view = writer.write(waiting, running, whole);
    made.plan = PlanText.write(plan, running);
    writer.expect(plan);
    recordMemos(made, view.memo(), plan.memo());
    made.planNanos = planNanos;
    open.addLast(made);
  }

  /**
   * Plans were carried out, and what came of them published.
   *
   * @param running how many of the last ones still are under way
   */
  public void done(int running) {
    while (!open.isEmpty() && open.getFirst().step <= step - running) {
      var event = open.removeFirst();
      event.stepNanos = System.nanoTime() - event.nowNanos;
      event.commit();
    }
  }

  private void recordMemos(StepEvent made, @Nullable Object before, @Nullable Object after) {
    made.memoBefore =
        !made.whole && Objects.equals(before, lastMemo)
            ? FlightRecording.SAME
            : MemoText.write(before);
    made.memoAfter = Objects.equals(after, before) ? FlightRecording.SAME : MemoText.write(after);
    lastMemo = after;
  }
}
