package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.engine.schedule.PlanCheck;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * What every scheduler must keep, tried on a thousand small random workloads: tight and ample block
 * pools, bursts and trickles, clients that leave. To test a scheduler, extend this class. A failure
 * names the seed of its workload.
 */
public abstract class SchedulerContract {
  private static final int WORKLOADS = 1_000;

  /** A fresh scheduler; each call gives a new one of the same settings. */
  protected abstract Scheduler create();

  @Test
  void everyPlanKeepsTheRules() {
    everyPlan((_, view, plan) -> new PlanCheck().check(plan, view));
  }

  @Test
  void everySequenceFinishes() {
    for (long seed = 0; seed < WORKLOADS; seed++) {
      var workload = Workload.random(seed);
      assertTrue(
          run(seed, workload, 0, (_, _, _) -> {}),
          "seed %d: sequences are left after %d steps".formatted(seed, mostSteps(workload)));
    }
  }

  @Test
  void equalViewsAndMemosGetEqualPlans() {
    everyPlan((scheduler, view, plan) -> {
      assertEquals(plan, scheduler.plan(view), "the same view, asked again");
      assertEquals(plan, scheduler.plan(Snapshot.of(view).view()), "an equal view");
      assertEquals(plan, create().plan(view), "a fresh scheduler");
    });
  }

  @Test
  void memosAreValuesOfTheJdk() {
    everyPlan((_, _, plan) -> Memo.copy(plan.memo()));
  }

  @Test
  void planningChangesNothingInTheView() {
    everyPlan((scheduler, view, _) -> {
      var before = Snapshot.of(view);
      scheduler.plan(view);
      assertEquals(before, Snapshot.of(view));
    });
  }

  @Test
  void takesOverFromAnotherSchedulerInMidFlight() {
    for (long seed = 0; seed < WORKLOADS; seed++) {
      var workload = Workload.random(seed);
      int others = new SplittableRandom(seed).nextInt(1, 30);
      assertTrue(
          run(seed, workload, others, (_, view, plan) -> new PlanCheck().check(plan, view)),
          "seed %d: sequences are left after a switch at step %d".formatted(seed, others));
    }
  }

  @Test
  void aSequenceThatNeedsTheWholePoolFinishes() {
    var limits = new Limits(5, 3, 4, 8);
    var sequence = new Sequence(1, 1, new int[20], 12, 0, "", 0, Long.MAX_VALUE);
    var alone = List.of(new Workload.Arrival(sequence, 12, Long.MAX_VALUE));
    var workload = new Workload(limits, alone);
    assertTrue(run(0, workload, 0, (_, view, plan) -> new PlanCheck().check(plan, view)));
  }

  @Test
  void nothingIsPlannedWhereThereIsNothingToDo() {
    var idle = new LiveView(List.of(), List.of(), new Limits(8, 4, 16, 10));
    var plan = create().plan(idle);
    assertDoesNotThrow(() -> new PlanCheck().check(plan, idle));
  }

  /** Looks at one plan before it is carried out. */
  private interface Inspection {
    void inspect(Scheduler scheduler, EngineView view, StepPlan plan);
  }

  private void everyPlan(Inspection inspection) {
    boolean finished = true; // everySequenceFinishes tells of one that does not
    for (long seed = 0; seed < WORKLOADS && finished; seed++) {
      finished = run(seed, Workload.random(seed), 0, inspection);
    }
  }

  /**
   * Runs the workload, its first steps by first come, first served; false if sequences are left
   * when the steps are used up.
   */
  private boolean run(long seed, Workload workload, int firstSteps, Inspection inspection) {
    var engine = new SimulatedEngine(workload);
    Scheduler scheduler = firstSteps > 0 ? new FirstComeFirstServed() : create();
    int mostSteps = mostSteps(workload);
    for (int step = 0; engine.hasWork(); step++) {
      if (step == mostSteps) {
        return false;
      }
      if (firstSteps > 0 && step == firstSteps) {
        scheduler = create();
        engine.dropMemo();
      }
      var view = engine.view();
      try {
        var plan = scheduler.plan(view);
        inspection.inspect(scheduler, view, plan);
        engine.apply(plan);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed %d, step %d: %s".formatted(seed, step, e.getMessage()), e);
      }
    }
    return true;
  }

  /** One step per token, many times over for what is computed again. */
  private static int mostSteps(Workload workload) {
    return 200 + 10 * workload.arrivals().stream().mapToInt(Workload.Arrival::tokens).sum();
  }
}
