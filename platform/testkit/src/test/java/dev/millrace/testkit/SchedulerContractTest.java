package dev.millrace.testkit;

import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class SchedulerContractTest {
  private static final Scheduler GOOD = new FirstComeFirstServed();

  @Test
  void theFallbackKeepsTheContract() throws Exception {
    verdict(FirstComeFirstServed::new).passes();
  }

  @Test
  void grantingMoreTokensThanArePendingIsCaught() throws Exception {
    verdict(() -> view -> StepPlan.of(grants(view, 1))).fails("everyPlanKeepsTheRules", "tokens, ");
  }

  @Test
  void grantingMoreBlocksThanAreFreeIsCaught() throws Exception {
    verdict(() -> view -> StepPlan.of(grants(view, 0)))
        .fails("everyPlanKeepsTheRules", "the scheduler ");
  }

  @Test
  void waitingForEverIsCaught() throws Exception {
    var verdict = verdict(() -> view -> StepPlan.waitUntil(view.nowNanos() + 1_000_000));
    verdict.fails("everySequenceFinishes", "sequences are left");
    verdict.fails("aSequenceThatNeedsTheWholePoolFinishes", "expected: <true>");
  }

  @Test
  void starvingASequenceIsCaught() throws Exception {
    verdict(() -> SchedulerContractTest::withoutSequenceZero)
        .fails("everySequenceFinishes", "sequences are left");
  }

  @Test
  void wakingInThePastIsCaught() throws Exception {
    verdict(() -> view -> view.memo() == null ? waitUntilNow(view) : good(view))
        .fails("everyPlanKeepsTheRules", "a time that has passed");
  }

  @Test
  void stateOutsideTheMemoIsCaught() throws Exception {
    verdict(
            () -> {
              var calls = new AtomicInteger();
              return view -> good(view).withMemo(calls.incrementAndGet());
            })
        .failsOnly("equalViewsAndMemosGetEqualPlans", "asked again");
  }

  @Test
  void dependingOnIdentityIsCaught() throws Exception {
    verdict(() -> view -> good(view).withMemo(System.identityHashCode(view)))
        .failsOnly("equalViewsAndMemosGetEqualPlans", "an equal view");
  }

  @Test
  void stateOfTheInstanceIsCaught() throws Exception {
    var instances = new AtomicInteger();
    verdict(
            () -> {
              int number = instances.incrementAndGet();
              return view -> good(view).withMemo(number);
            })
        .failsOnly("equalViewsAndMemosGetEqualPlans", "a fresh scheduler");
  }

  @Test
  void aClassOfThePluginInTheMemoIsCaught() throws Exception {
    record Note(int step) {}
    verdict(() -> view -> good(view).withMemo(List.of(new Note(1))))
        .fails("memosAreValuesOfTheJdk", "Note");
  }

  @Test
  void changingTheMemoInPlaceIsCaught() throws Exception {
    verdict(() -> SchedulerContractTest::appendingToItsMemo)
        .fails("planningChangesNothingInTheView", "expected");
  }

  @Test
  void changingASequenceIsCaught() throws Exception {
    verdict(() -> SchedulerContractTest::restarting)
        .fails("planningChangesNothingInTheView", "expected");
  }

  @Test
  void anExceptionIsCaughtWithItsSeed() throws Exception {
    verdict(() ->
            _ -> {
              throw new IllegalStateException("no plan");
            })
        .fails("everyPlanKeepsTheRules", "seed 0, step 0: no plan");
  }

  private static Verdict verdict(Supplier<Scheduler> scheduler) throws IllegalAccessException {
    return Verdict.of(
        new SchedulerContract() {
          @Override
          protected Scheduler create() {
            return scheduler.get();
          }
        });
  }

  private static StepPlan good(EngineView view) {
    return GOOD.plan(view).withMemo("asked before");
  }

  private static StepPlan waitUntilNow(EngineView view) {
    return StepPlan.waitUntil(view.nowNanos()).withMemo("asked before");
  }

  /** Everything that is pending, and more, whatever the limits are. */
  private static List<Grant> grants(EngineView view, int more) {
    var grants = new ArrayList<Grant>();
    view.running().forEach(s -> grants.add(new Grant(s.id(), s.pending() + more)));
    view.waiting().forEach(s -> grants.add(new Grant(s.id(), s.pending() + more)));
    return grants;
  }

  private static StepPlan withoutSequenceZero(EngineView view) {
    var plan = GOOD.plan(view);
    var grants = plan.grants().stream().filter(grant -> grant.sequence() != 0).toList();
    return new StepPlan(grants, plan.preempt(), view.nowNanos() + 1, null);
  }

  @SuppressWarnings("unchecked")
  private static StepPlan appendingToItsMemo(EngineView view) {
    var memo = view.memo() == null ? new ArrayList<Long>() : (List<Long>) view.memo();
    if (memo instanceof ArrayList<Long>) {
      memo.add(view.nowNanos());
    }
    return good(view).withMemo(memo);
  }

  private static StepPlan restarting(EngineView view) {
    for (var sequence : view.waiting()) {
      if (sequence instanceof Sequence real) {
        real.restart();
      }
    }
    return good(view);
  }
}
