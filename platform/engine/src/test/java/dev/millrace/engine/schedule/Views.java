package dev.millrace.engine.schedule;

import dev.millrace.spi.schedule.Limits;
import java.util.ArrayList;
import java.util.List;

/** An engine's state, set up by hand. */
final class Views {
  final List<Sequence> waiting = new ArrayList<>();
  final List<Sequence> running = new ArrayList<>();
  private final Limits limits;

  Views(Limits limits) {
    this.limits = limits;
  }

  Views waiting(long id, int prompt) {
    waiting.add(sequence(id, prompt));
    return this;
  }

  /** A running sequence with some of its prompt computed. */
  Views running(long id, int prompt, int computed) {
    var sequence = sequence(id, prompt);
    sequence.advance(computed);
    running.add(sequence);
    return this;
  }

  LiveView view() {
    int held = running.stream().mapToInt(s -> Math.ceilDiv(s.computed(), limits.blockSize())).sum();
    return new LiveView(waiting, running, limits).at(0, null, limits.totalBlocks() - held);
  }

  private static Sequence sequence(long id, int prompt) {
    return new Sequence(id, id, new int[prompt], 100, 0, "", 0, Long.MAX_VALUE);
  }
}
