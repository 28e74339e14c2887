package dev.millrace.schedulers;

import dev.millrace.engine.schedule.LiveView;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An engine's state, set up by hand. Plans are not carried out. */
final class Views {
  private final Limits limits;
  private final List<Sequence> waiting = new ArrayList<>();
  private final List<Sequence> running = new ArrayList<>();

  Views(Limits limits) {
    this.limits = limits;
  }

  Views waiting(long id, int prompt, int answer, long arrival) {
    waiting.add(new Sequence(id, id, new int[prompt], answer, 0, "", arrival, Long.MAX_VALUE));
    return this;
  }

  Views waitingFor(int priority, long id, int prompt, int answer) {
    waiting.add(new Sequence(id, id, new int[prompt], answer, priority, "", id, Long.MAX_VALUE));
    return this;
  }

  /** Waits for a place beside a running sequence of its request. */
  Views sibling(long id, long request, int prompt, int answer) {
    waiting.add(new Sequence(id, request, new int[prompt], answer, 0, "", 0, Long.MAX_VALUE));
    return this;
  }

  Views runningFor(int priority, long id, int prompt, int computed) {
    var sequence = new Sequence(id, id, new int[prompt], 100, priority, "", 0, Long.MAX_VALUE);
    sequence.advance(computed);
    running.add(sequence);
    return this;
  }

  /** A running sequence with some of its prompt computed. */
  Views running(long id, int prompt, int computed) {
    var sequence = new Sequence(id, id, new int[prompt], 100, 0, "", 0, Long.MAX_VALUE);
    sequence.advance(computed);
    running.add(sequence);
    return this;
  }

  EngineView at(long now, @Nullable Object memo) {
    int held = running.stream().mapToInt(s -> Math.ceilDiv(s.computed(), limits.blockSize())).sum();
    running.sort(Comparator.comparingLong(Sequence::id));
    return new LiveView(waiting, running, limits).at(now, memo, limits.totalBlocks() - held);
  }

  EngineView now() {
    return at(0, null);
  }

  static Map<Long, Integer> grants(StepPlan plan) {
    var map = new TreeMap<Long, Integer>();
    for (Grant grant : plan.grants()) {
      map.put(grant.sequence(), grant.tokens());
    }
    return map;
  }
}
