package dev.millrace.engine.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.CacheRoot;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FirstComeFirstServedTest {
  private final FirstComeFirstServed scheduler = new FirstComeFirstServed();

  @Test
  void servesRunningSequencesBeforeWaitingOnes() {
    var plan = plan(views(16, 8, 100).running(1, 10, 9).running(2, 8, 2).waiting(3, 4));
    assertEquals(List.of(new Grant(1, 1), new Grant(2, 6), new Grant(3, 4)), plan.grants());
  }

  @Test
  void cutsAPromptAtTheTokenBudget() {
    var plan = plan(views(6, 8, 100).running(1, 10, 9).waiting(2, 9).waiting(3, 1));
    assertEquals(List.of(new Grant(1, 1), new Grant(2, 5)), plan.grants());
  }

  @Test
  void cutsAPromptAtTheFreeBlocks() {
    var plan = plan(views(64, 8, 4).running(1, 3, 2).waiting(2, 40));
    assertEquals(List.of(new Grant(1, 1), new Grant(2, 12)), plan.grants());
  }

  @Test
  void startsNobodyBeyondTheLimitOfSequences() {
    var plan = plan(views(16, 1, 100).running(1, 10, 9).waiting(2, 1));
    assertEquals(List.of(new Grant(1, 1)), plan.grants());
  }

  @Test
  void theYoungestGivesWayWhenAnOlderOneCannotGoOn() {
    var plan = plan(views(16, 8, 4).running(1, 9, 8).running(2, 4, 3).running(3, 4, 3));
    assertEquals(List.of(3L), plan.preempt());
    assertEquals(List.of(new Grant(1, 1), new Grant(2, 1)), plan.grants());
  }

  @Test
  void nobodyGivesWayToAPieceThatCouldBeShorter() {
    var plan = plan(views(16, 8, 4).running(1, 20, 6).running(2, 8, 7));
    assertEquals(List.of(), plan.preempt());
    assertEquals(List.of(new Grant(1, 2), new Grant(2, 1)), plan.grants());
  }

  @Test
  void startsNobodyInAStepThatPreempts() {
    var plan = plan(views(16, 8, 3).running(1, 5, 4).running(2, 8, 5).waiting(3, 1));
    assertEquals(List.of(2L), plan.preempt());
    assertEquals(List.of(new Grant(1, 1)), plan.grants());
  }

  @Test
  void everySequenceFinishesInAPoolThatHoldsOne() {
    var limits = new Limits(5, 4, 4, 8);
    var views = new Views(limits);
    var pool = new BlockPool(limits.totalBlocks(), limits.blockSize());
    for (int id = 0; id < 6; id++) {
      var sequence = new Sequence(id, id, new int[20], 12, 0, "", 0, Long.MAX_VALUE);
      sequence.enter(new KvLease(pool, id < 3 ? null : CacheRoot.SHARED));
      views.waiting.add(sequence);
    }
    var view = new LiveView(views.waiting, views.running, limits);
    int steps = 0;
    while (!views.waiting.isEmpty() || !views.running.isEmpty()) {
      var plan = scheduler.plan(view.at(0, null, pool.free()));
      new PlanCheck().check(plan, view);
      apply(plan, views);
      pool.checkIntegrity(views.running.stream().map(s -> s.lease().table()).toList());
      assertTrue(++steps < 1_000, "sequences are left after 1,000 steps");
    }
  }

  private static void apply(StepPlan plan, Views views) {
    for (long id : plan.preempt()) {
      var victim = views.running.stream().filter(s -> s.id() == id).findFirst().orElseThrow();
      views.running.remove(victim);
      victim.restart();
      views.waiting.addFirst(victim);
    }
    var all = new ArrayList<>(views.running);
    all.addAll(views.waiting);
    for (var grant : plan.grants()) {
      var sequence = all.stream().filter(s -> s.id() == grant.sequence()).findFirst().orElseThrow();
      if (views.waiting.remove(sequence)) {
        sequence.attach();
        views.running.add(sequence);
      }
    }
    for (var grant : plan.grants()) {
      var sequence = all.stream().filter(s -> s.id() == grant.sequence()).findFirst().orElseThrow();
      sequence.grow(grant.tokens(), (_, _) -> {});
      sequence.advance(grant.tokens());
      if (sequence.pending() == 0) {
        sequence.append(0);
        if (sequence.total() == sequence.maxTotal()) {
          sequence.release();
          views.running.remove(sequence);
        }
      }
    }
  }

  private StepPlan plan(Views views) {
    var view = views.view();
    var plan = scheduler.plan(view);
    new PlanCheck().check(plan, view);
    return plan;
  }

  private static Views views(int tokens, int sequences, int blocks) {
    return new Views(new Limits(tokens, sequences, 4, blocks));
  }
}
