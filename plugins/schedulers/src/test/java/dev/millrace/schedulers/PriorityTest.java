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
    var views =
        views(16, 3, 100).waitingFor(5, 1, 4, 4).waitingFor(-1, 2, 4, 4).waitingFor(5, 3, 4, 4);
    assertEquals(Map.of(1L, 4, 2L, 4, 3L, 4), Views.grants(create().plan(views.now())));
    views.waitingFor(-1, 4, 4, 4);
    assertEquals(Map.of(1L, 4, 2L, 4, 4L, 4), Views.grants(create().plan(views.now())));
  }

  @Test
  void servesABetterOneBeforeWorseOnesThatRun() {
    var view = views(6, 8, 100).runningFor(5, 1, 40, 4).waitingFor(0, 2, 4, 4).now();
    assertEquals(Map.of(1L, 2, 2L, 4), Views.grants(create().plan(view)));
  }

  @Test
  void takesAPlaceFromTheWorst() {
    var views =
        views(16, 3, 100).runningFor(1, 1, 9, 8).runningFor(7, 2, 9, 8).runningFor(7, 3, 5, 4);
    var plan = create().plan(views.waitingFor(0, 4, 4, 4).now());
    assertEquals(List.of(3L), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1, 4L, 4), Views.grants(plan));
  }

  @Test
  void takesBlocksFromAsManyAsItTakes() {
    // blocks of 4, all 6 held
    var views =
        views(16, 8, 6).runningFor(0, 1, 9, 8).runningFor(3, 2, 9, 7).runningFor(9, 3, 9, 7);
    var plan = create().plan(views.waitingFor(2, 4, 12, 4).now());
    assertEquals(List.of(3L, 2L), plan.preempt());
    assertEquals(Map.of(1L, 1, 4L, 12), Views.grants(plan));
  }

  @Test
  void takesNothingFromEqualsAndNothingInVain() {
    var equals = views(16, 1, 100).runningFor(2, 1, 9, 8).waitingFor(2, 2, 4, 4).now();
    assertEquals(List.of(), create().plan(equals).preempt());
    var vain = views(16, 8, 6).runningFor(0, 1, 16, 15).runningFor(9, 2, 7, 6);
    var plan = create().plan(vain.waitingFor(2, 3, 12, 4).now());
    assertEquals(List.of(), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1), Views.grants(plan));
  }

  @Test
  void aRunningOneThatCannotGoOnTakesFromTheWorstAndLeastComputed() {
    var views =
        views(16, 8, 7).runningFor(3, 1, 9, 8).runningFor(3, 2, 12, 11).runningFor(3, 3, 8, 7);
    var plan = create().plan(views.now());
    assertEquals(List.of(3L), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1), Views.grants(plan));
  }

  @Test
  void nobodyStartsInPlaceOfAnEqualThatJustLostItsBlocks() {
    var views = views(16, 8, 4).runningFor(3, 1, 9, 8).runningFor(3, 2, 8, 7);
    var plan = create().plan(views.waitingFor(3, 3, 1, 1).now());
    assertEquals(List.of(2L), plan.preempt());
    assertEquals(Map.of(1L, 1), Views.grants(plan));
  }

  @Test
  void nobodyOvertakesABetterOneThatMustWait() {
    var view =
        views(16, 8, 4)
            .runningFor(0, 1, 12, 11)
            .waitingFor(1, 2, 9, 4)
            .waitingFor(5, 3, 1, 1)
            .now();
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
