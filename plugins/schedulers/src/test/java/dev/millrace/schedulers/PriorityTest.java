package dev.millrace.schedulers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.testkit.SchedulerContract;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PriorityTest extends SchedulerContract {
  @Override
  protected Scheduler create() {
    return new PriorityPlugin().create(Map.of());
  }

  @Test
  void startsTheBestPriorityFirstAndOfEqualsWhoCameFirst() {
    var views = views(16, 3, 100).waiting(1, 4, 4, 5).waiting(2, 4, 4, -1).waiting(3, 4, 4, 5);
    assertEquals(Map.of(1L, 4, 2L, 4, 3L, 4), Views.grants(create().plan(views.now())));
    views.waiting(4, 4, 4, -1);
    assertEquals(Map.of(1L, 4, 2L, 4, 4L, 4), Views.grants(create().plan(views.now())));
  }

  @Test
  void servesABetterOneBeforeWorseOnesThatRun() {
    var view = views(6, 8, 100).running(1, 40, 4, 5).waiting(2, 4, 4, 0).now();
    assertEquals(Map.of(1L, 2, 2L, 4), Views.grants(create().plan(view)));
  }

  @Test
  void takesAPlaceFromTheWorst() {
    var views = views(16, 3, 100).running(1, 9, 8, 1).running(2, 9, 8, 7).running(3, 5, 4, 7);
    var plan = create().plan(views.waiting(4, 4, 4, 0).now());
    assertEquals(List.of(3L), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1, 4L, 4), Views.grants(plan));
  }

  @Test
  void takesBlocksFromAsManyAsItTakes() {
    // blocks of 4, all 6 held
    var views = views(16, 8, 6).running(1, 9, 8, 0).running(2, 9, 7, 3).running(3, 9, 7, 9);
    var plan = create().plan(views.waiting(4, 12, 4, 2).now());
    assertEquals(List.of(3L, 2L), plan.preempt());
    assertEquals(Map.of(1L, 1, 4L, 12), Views.grants(plan));
  }

  @Test
  void takesNothingFromEqualsAndNothingInVain() {
    var equals = views(16, 1, 100).running(1, 9, 8, 2).waiting(2, 4, 4, 2).now();
    assertEquals(List.of(), create().plan(equals).preempt());
    var vain = views(16, 8, 6).running(1, 16, 15, 0).running(2, 7, 6, 9);
    var plan = create().plan(vain.waiting(3, 12, 4, 2).now());
    assertEquals(List.of(), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1), Views.grants(plan));
  }

  @Test
  void aRunningOneThatCannotGoOnTakesFromTheWorstAndLeastComputed() {
    var views = views(16, 8, 7).running(1, 9, 8, 3).running(2, 12, 11, 3).running(3, 8, 7, 3);
    var plan = create().plan(views.now());
    assertEquals(List.of(3L), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1), Views.grants(plan));
  }

  @Test
  void nobodyStartsInPlaceOfAnEqualThatJustLostItsBlocks() {
    var views = views(16, 8, 4).running(1, 9, 8, 3).running(2, 8, 7, 3);
    var plan = create().plan(views.waiting(3, 1, 1, 3).now());
    assertEquals(List.of(2L), plan.preempt());
    assertEquals(Map.of(1L, 1), Views.grants(plan));
  }

  @Test
  void nobodyOvertakesABetterOneThatMustWait() {
    var view = views(16, 8, 4).running(1, 12, 11, 0).waiting(2, 9, 4, 1).waiting(3, 1, 1, 5).now();
    assertEquals(Map.of(1L, 1), Views.grants(create().plan(view)));
  }

  @Test
  void hasNoSettings() {
    var error =
        assertThrows(
            InferenceException.class, () -> new PriorityPlugin().create(Map.of("aging", "4")));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
  }

  private static Views views(int tokens, int sequences, int blocks) {
    return new Views(new Limits(tokens, sequences, 4, blocks));
  }
}
