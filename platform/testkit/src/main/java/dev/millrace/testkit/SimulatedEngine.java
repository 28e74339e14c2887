package dev.millrace.testkit;

import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.CacheRoot;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.StepPlan;
import dev.millrace.testkit.Workload.Arrival;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * An engine without a model: the engine's own sequences, blocks and view, a clock that is moved by
 * hand, and answers whose length is known beforehand.
 */
final class SimulatedEngine {
  private static final long STEP_NANOS = 1_000_000;
  private static final long TOKEN_NANOS = 10_000;

  private final Queue<Arrival> coming;
  private final Map<Long, Arrival> arrived = new HashMap<>();
  private final List<Sequence> waiting = new ArrayList<>();
  private final List<Sequence> running = new ArrayList<>();
  private final BlockPool pool;
  private final LiveView view;
  private long now;
  private @Nullable Object memo;

  SimulatedEngine(Workload workload) {
    var limits = workload.limits();
    coming = new ArrayDeque<>(workload.arrivals());
    now = workload.arrivals().getFirst().sequence().arrivalNanos();
    pool = new BlockPool(limits.totalBlocks(), limits.blockSize());
    view = new LiveView(waiting, running, limits);
  }

  /** Moves the clock to when there is work; false if there will never be any again. */
  boolean hasWork() {
    welcome();
    while (waiting.isEmpty() && running.isEmpty()) {
      if (coming.isEmpty()) {
        return false;
      }
      now = coming.element().sequence().arrivalNanos();
      welcome();
    }
    return true;
  }

  /** What the scheduler may see now. */
  EngineView view() {
    return view.at(now, memo, pool.free());
  }

  /** Forgets the memo, as at a switch of schedulers. */
  void dropMemo() {
    memo = null;
  }

  /** Does what a plan says that keeps the rules, and proves that no block got lost. */
  void apply(StepPlan plan) {
    var victims = running.stream().filter(s -> plan.preempt().contains(s.id())).toList();
    running.removeAll(victims);
    victims.forEach(Sequence::restart);
    waiting.addAll(0, victims); // the oldest first, as in the engine
    int tokens = plan.grants().stream().mapToInt(Grant::tokens).sum();
    plan.grants().forEach(this::start);
    plan.grants().forEach(this::grow);
    plan.grants().forEach(this::compute);
    memo = plan.memo();
    if (plan.grants().isEmpty()) {
      sleepUntil(plan.wakeAtNanos());
    } else {
      now += STEP_NANOS + tokens * TOKEN_NANOS;
    }
    pool.checkIntegrity(running.stream().map(sequence -> sequence.lease().table()).toList());
  }

  private void start(Grant grant) {
    if (running.stream().noneMatch(sequence -> sequence.id() == grant.sequence())) {
      var sequence = remove(waiting, grant.sequence());
      sequence.attach();
      running.add(sequence);
    }
  }

  private void grow(Grant grant) {
    byId(running, grant.sequence()).grow(grant.tokens(), (_, _) -> {});
  }

  private void compute(Grant grant) {
    var sequence = byId(running, grant.sequence());
    sequence.advance(grant.tokens());
    if (sequence.pending() == 0) {
      sequence.append(0);
      var arrival = arrived.get(sequence.id());
      if (arrival != null && sequence.total() == arrival.tokens()) {
        end(sequence);
      }
    }
  }

  /** Until the plan's time or the next arrival, whichever is first. */
  private void sleepUntil(long wakeAt) {
    long wake = wakeAt;
    if (!coming.isEmpty()) {
      wake = Math.min(wake, coming.element().sequence().arrivalNanos());
    }
    now = Math.max(now, wake);
  }

  private void welcome() {
    while (!coming.isEmpty() && coming.element().sequence().arrivalNanos() <= now) {
      var arrival = coming.remove();
      arrived.put(arrival.sequence().id(), arrival);
      arrival.sequence().enter(new KvLease(pool, CacheRoot.SHARED));
      waiting.add(arrival.sequence());
    }
    arrived.values().stream()
        .filter(arrival -> arrival.leavesAtNanos() <= now)
        .map(Arrival::sequence)
        .filter(sequence -> waiting.contains(sequence) || running.contains(sequence))
        .forEach(this::end);
  }

  private void end(Sequence sequence) {
    sequence.release();
    waiting.remove(sequence);
    running.remove(sequence);
  }

  private static Sequence remove(List<Sequence> sequences, long id) {
    var sequence = byId(sequences, id);
    sequences.remove(sequence);
    return sequence;
  }

  private static Sequence byId(List<Sequence> sequences, long id) {
    return sequences.stream().filter(sequence -> sequence.id() == id).findFirst().orElseThrow();
  }
}
