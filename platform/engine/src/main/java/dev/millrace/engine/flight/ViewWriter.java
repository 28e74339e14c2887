package dev.millrace.engine.flight;

import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.StepPlan;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes views as differences from what the last view and its plan make one expect. Entries end
 * with a semicolon: {@code w-7} and {@code r-7} take sequence 7 from the waiting or the running
 * ones, {@code w3+…} and {@code r3+…} put one at index 3, {@code
 * ~7,total,computed,preemptions,held} says what else is different, and {@code f7,2} that preempting
 * 7 would free 2 blocks. What is cached of a waiting sequence is written only if the scheduler
 * looked. Engine thread.
 */
final class ViewWriter {
  private final ViewMirror mirror = new ViewMirror();
  private final int blockSize;
  private final StringBuilder out = new StringBuilder();

  ViewWriter(int blockSize) {
    this.blockSize = blockSize;
  }

  /** The view, in differences, or in full. */
  String write(List<Sequence> waiting, List<Sequence> running, boolean whole) {
    out.setLength(0);
    if (whole) {
      mirror.clear();
    }
    order('w', mirror.waiting, waiting);
    order('r', mirror.running, running);
    for (int i = 0; i < waiting.size(); i++) {
      compareWaiting(mirror.waiting.get(i), waiting.get(i));
    }
    for (int i = 0; i < running.size(); i++) {
      compareRunning(mirror.running.get(i), running.get(i));
    }
    return out.isEmpty() ? "" : out.toString();
  }

  /** Expects what a plan will do. */
  void expect(StepPlan plan) {
    mirror.carryOut(plan, blockSize);
  }

  /** Makes the expected list one of the same sequences in the same order. */
  private void order(char list, List<RecordedSequence> expected, List<Sequence> actual) {
    int at = 0;
    while (at < actual.size()
        && at < expected.size()
        && actual.get(at).id() == expected.get(at).id()) {
      at++;
    }
    if (at == actual.size() && at == expected.size()) {
      return;
    }
    Set<Long> present = new HashSet<>();
    for (int i = at; i < actual.size(); i++) {
      present.add(actual.get(i).id());
    }
    for (int i = at; i < expected.size(); ) {
      if (present.contains(expected.get(i).id())) {
        i++;
      } else {
        remove(list, expected, i);
      }
    }
    for (; at < actual.size(); at++) {
      var sequence = actual.get(at);
      if (at == expected.size() || expected.get(at).id() != sequence.id()) {
        int moved = ViewMirror.indexOf(expected, sequence.id());
        if (moved >= 0) {
          remove(list, expected, moved);
        }
        insert(list, expected, at, sequence);
      }
    }
  }

  private void remove(char list, List<RecordedSequence> expected, int index) {
    out.append(list).append('-').append(expected.remove(index).id()).append(';');
  }

  private void insert(char list, List<RecordedSequence> expected, int index, Sequence sequence) {
    var recorded = new RecordedSequence(sequence);
    out.append(list).append(index).append('+');
    recorded.write(out);
    out.append(';');
    expected.add(index, recorded);
  }

  private void compareWaiting(RecordedSequence expected, Sequence actual) {
    boolean looked = actual.wasLookedAt();
    int computed = looked ? actual.computed() : expected.computed;
    int held = looked ? actual.heldBlocks(blockSize) : expected.held;
    var _ = looked && actual.wasLookedAt(); // not by a scheduler
    compare(expected, actual, computed, held);
    expected.freed = 0;
  }

  private void compareRunning(RecordedSequence expected, Sequence actual) {
    compare(expected, actual, actual.computed(), actual.heldBlocks(blockSize));
    int freed = actual.takeAskedFreed();
    if (freed >= 0 && freed != expected.held) {
      out.append('f').append(expected.id()).append(',').append(freed).append(';');
      expected.freed = freed;
    }
  }

  private void compare(RecordedSequence expected, Sequence actual, int computed, int held) {
    if (expected.total == actual.total()
        && expected.computed == computed
        && expected.preemptions == actual.preemptions()
        && expected.held == held) {
      return;
    }
    expected.total = actual.total();
    expected.computed = computed;
    expected.preemptions = actual.preemptions();
    expected.held = held;
    expected.freed = held;
    out.append('~').append(expected.id()).append(',').append(expected.total).append(',');
    out.append(computed).append(',').append(expected.preemptions).append(',').append(held);
    out.append(';');
  }
}
