package dev.millrace.engine.flight;

import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * What can be known of the next view from the last one and its plan. Writer and reader keep one
 * each, so that only what is different need be written.
 */
final class ViewMirror {
  final List<RecordedSequence> waiting = new ArrayList<>();
  final List<RecordedSequence> running = new ArrayList<>();

  void clear() {
    waiting.clear();
    running.clear();
  }

  /** Carries out a plan as if every sequence that is computed to its end went on. */
  void carryOut(StepPlan plan, int blockSize) {
    for (var sequence : running) {
      sequence.freed = sequence.held;
    }
    if (!plan.preempt().isEmpty()) {
      preempt(plan.preempt());
    }
    int next = 0; // grants mostly come in the order of the list
    for (Grant grant : plan.grants()) {
      int at = next < running.size() && running.get(next).id() == grant.sequence() ? next : -1;
      if (at < 0) {
        at = indexOf(running, grant.sequence());
      }
      if (at < 0) {
        int from = indexOf(waiting, grant.sequence());
        if (from < 0) {
          continue; // the recording began in between
        }
        at = running.size();
        running.add(waiting.remove(from));
      }
      next = at + 1;
      compute(running.get(at), grant.tokens(), blockSize);
    }
  }

  private static void compute(RecordedSequence sequence, int tokens, int blockSize) {
    sequence.computed += tokens;
    if (sequence.computed == sequence.total) {
      sequence.total++;
    }
    sequence.held = Math.ceilDiv(sequence.computed, blockSize);
    sequence.freed = sequence.held;
  }

  private void preempt(List<Long> ids) {
    var lost = new HashSet<>(ids);
    var victims = running.stream().filter(sequence -> lost.contains(sequence.id())).toList();
    running.removeAll(victims);
    for (var victim : victims) {
      victim.computed = 0;
      victim.held = 0;
      victim.freed = 0;
      victim.preemptions++;
    }
    waiting.addAll(0, victims);
  }

  static int indexOf(List<RecordedSequence> list, long id) {
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).id() == id) {
        return i;
      }
    }
    return -1;
  }
}
