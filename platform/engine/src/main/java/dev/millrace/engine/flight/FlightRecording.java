package dev.millrace.engine.flight;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/**
 * Reads the steps of engines from a recording of JDK Flight Recorder, for example one that {@code
 * jcmd PID JFR.dump} wrote. Giving each view to a scheduler of the same kind gives the same plans.
 */
public final class FlightRecording {
  static final String SAME = "=";

  private FlightRecording() {}

  /**
   * All steps that can be rebuilt, engine by engine, in order: from the first view on that was
   * written in full.
   *
   * @throws IOException if the file cannot be read
   */
  public static List<RecordedStep> read(Path file) throws IOException {
    var events = new ArrayList<RecordedEvent>();
    try (var recording = new RecordingFile(file)) {
      while (recording.hasMoreEvents()) {
        var event = recording.readEvent();
        if (event.getEventType().getName().equals(StepEvent.NAME)) {
          events.add(event);
        }
      }
    }
    events.sort(
        Comparator.<RecordedEvent>comparingLong(event -> event.getLong("engine"))
            .thenComparingLong(event -> event.getLong("step")));
    var steps = new ArrayList<RecordedStep>();
    Map<Long, Run> runs = new HashMap<>();
    for (var event : events) {
      var run = runs.computeIfAbsent(event.getLong("engine"), _ -> new Run());
      var step = run.read(event);
      if (step != null) {
        steps.add(step);
      }
    }
    return steps;
  }

  /** One engine's steps, as far as they have been read. */
  private static final class Run {
    private @Nullable ViewReader reader;
    private long lastStep;
    private @Nullable Object memo;

    @Nullable RecordedStep read(RecordedEvent event) {
      long step = event.getLong("step");
      boolean whole = event.getBoolean("whole");
      if (whole) {
        reader = new ViewReader(LimitsText.read(event.getString("limits")));
      } else if (step != lastStep + 1) {
        reader = null; // steps are missing
      }
      lastStep = step;
      return reader == null ? null : read(event, reader, whole);
    }

    private RecordedStep read(RecordedEvent event, ViewReader from, boolean whole) {
      from.read(text(event, "view"), whole);
      var before = text(event, "memoBefore");
      memo = before.equals(SAME) ? memo : MemoText.read(before);
      var view = from.view(event.getLong("nowNanos"), memo, event.getInt("freeBlocks"));
      var after = text(event, "memoAfter");
      memo = after.equals(SAME) ? memo : MemoText.read(after);
      var plan = PlanText.read(text(event, "plan"), view.running(), memo);
      from.expect(plan);
      return new RecordedStep(
          event.getLong("engine"),
          event.getLong("step"),
          text(event, "scheduler"),
          event.getBoolean("replaced"),
          view,
          plan);
    }

    private static String text(RecordedEvent event, String field) {
      return Objects.requireNonNullElse(event.getString(field), "");
    }
  }
}
