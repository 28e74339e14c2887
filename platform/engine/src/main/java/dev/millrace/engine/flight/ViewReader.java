package dev.millrace.engine.flight;

import dev.millrace.engine.schedule.FrozenSequence;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.StepPlan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rebuilds views from what {@link ViewWriter} wrote. */
final class ViewReader {
  private final ViewMirror mirror = new ViewMirror();
  private final Limits limits;

  ViewReader(Limits limits) {
    this.limits = limits;
  }

  /** Takes in one view. */
  void read(String differences, boolean whole) {
    if (whole) {
      mirror.clear();
    }
    for (String entry : differences.split(";", -1)) {
      if (!entry.isEmpty()) {
        read(entry);
      }
    }
  }

  /** The view, in objects of its own. */
  EngineView view(long nowNanos, @Nullable Object memo, int freeBlocks) {
    return new LiveView(copy(mirror.waiting), copy(mirror.running), limits)
        .at(nowNanos, memo, freeBlocks);
  }

  /** Expects what a plan will do. */
  void expect(StepPlan plan) {
    mirror.carryOut(plan, limits.blockSize());
  }

  private static List<FrozenSequence> copy(List<RecordedSequence> list) {
    return list.stream().map(RecordedSequence::freeze).toList();
  }

  private void read(String entry) {
    switch (entry.charAt(0)) {
      case 'w' -> readOrder(entry, mirror.waiting);
      case 'r' -> readOrder(entry, mirror.running);
      case '~' -> readChange(entry.substring(1).split(",", -1));
      case 'f' -> {
        var fields = entry.substring(1).split(",", -1);
        find(Long.parseLong(fields[0])).freed = Integer.parseInt(fields[1]);
      }
      default -> throw new IllegalArgumentException("a view with the entry " + entry);
    }
  }

  private static void readOrder(String entry, List<RecordedSequence> list) {
    if (entry.charAt(1) == '-') {
      list.remove(ViewMirror.indexOf(list, Long.parseLong(entry.substring(2))));
    } else {
      int plus = entry.indexOf('+');
      int index = Integer.parseInt(entry.substring(1, plus));
      var sequence = RecordedSequence.read(entry.substring(plus + 1));
      sequence.freed = entry.charAt(0) == 'r' ? sequence.held : 0;
      list.add(index, sequence);
    }
  }

  private void readChange(String[] fields) {
    var sequence = find(Long.parseLong(fields[0]));
    sequence.total = Integer.parseInt(fields[1]);
    sequence.computed = Integer.parseInt(fields[2]);
    sequence.preemptions = Integer.parseInt(fields[3]);
    sequence.held = Integer.parseInt(fields[4]);
    sequence.freed = mirror.running.contains(sequence) ? sequence.held : 0;
  }

  private RecordedSequence find(long id) {
    int running = ViewMirror.indexOf(mirror.running, id);
    return running >= 0
        ? mirror.running.get(running)
        : mirror.waiting.get(ViewMirror.indexOf(mirror.waiting, id));
  }
}
