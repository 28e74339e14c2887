package dev.millrace.engine.schedule;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.StepPlan;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanCheckTest {
  // 1 and 2 run and hold 3 + 1 of 6 blocks, 3 and 4 wait
  private final LiveView view =
      new Views(new Limits(16, 3, 4, 6))
          .running(1, 10, 9)
          .running(2, 4, 3)
          .waiting(3, 8)
          .waiting(4, 20)
          .view();

  @Test
  void aPlanWithinAllLimitsPasses() {
    accepts(StepPlan.of(List.of(new Grant(1, 1), new Grant(2, 1), new Grant(3, 8))));
  }

  @Test
  void anUnknownSequenceIsRefused() {
    refuses("unknown sequence 9", StepPlan.of(List.of(new Grant(9, 1))));
  }

  @Test
  void aSequenceIsGrantedTokensOnce() {
    refuses("names sequence 3 twice", grants(new Grant(3, 1), new Grant(3, 1)));
  }

  @Test
  void aPreemptedSequenceIsGrantedNothing() {
    refuses("names sequence 2 twice", StepPlan.of(List.of(new Grant(2, 1)), List.of(2L)));
  }

  @Test
  void aGrantIsAtLeastOneToken() {
    refuses("grants 0 tokens, 1 are pending", grants(new Grant(1, 0)));
    refuses("grants -1 tokens, 1 are pending", grants(new Grant(1, -1)));
  }

  @Test
  void aGrantIsAtMostWhatIsPending() {
    refuses("grants 2 tokens, 1 are pending", grants(new Grant(1, 2)));
    refuses("grants 9 tokens, 8 are pending", grants(new Grant(3, 9)));
  }

  @Test
  void theTokensOfAStepAreLimited() {
    var plan = StepPlan.of(List.of(new Grant(4, 16), new Grant(2, 1)), List.of(1L));
    refuses("grants 17 tokens, the step holds 16", plan);
  }

  @Test
  void theRunningSequencesAreLimited() {
    var both = List.of(new Grant(3, 4), new Grant(4, 4));
    refuses("runs 4 sequences, the limit is 3", StepPlan.of(both));
    accepts(StepPlan.of(both, List.of(2L)));
  }

  @Test
  void theBlocksAreLimited() {
    refuses("needs 1 more blocks than are free", grants(new Grant(4, 12)));
    accepts(grants(new Grant(4, 8)));
  }

  @Test
  void thePreemptedGiveTheirBlocksFirst() {
    accepts(StepPlan.of(List.of(new Grant(4, 12)), List.of(2L)));
  }

  @Test
  void onlyRunningSequencesArePreempted() {
    refuses("preempts sequence 3, which is not running", preempts(3L));
    refuses("preempts sequence 9, which is not running", preempts(9L));
  }

  @Test
  void aSequenceIsPreemptedOnce() {
    refuses("names sequence 1 twice", preempts(1L, 1L));
  }

  @Test
  void anEmptyPlanNamesATimeUnlessThereIsNothingToDo() {
    refuses("names no time to wake at", grants());
    accepts(StepPlan.waitUntil(5));
    var idle = new Views(new Limits(16, 3, 4, 6)).view();
    assertDoesNotThrow(() -> new PlanCheck().check(grants(), idle));
  }

  private static StepPlan grants(Grant... grants) {
    return StepPlan.of(List.of(grants));
  }

  private static StepPlan preempts(Long... ids) {
    return StepPlan.of(List.of(new Grant(4, 1)), List.of(ids));
  }

  private void accepts(StepPlan plan) {
    assertDoesNotThrow(() -> new PlanCheck().check(plan, view));
  }

  private void refuses(String rule, StepPlan plan) {
    var error = assertThrows(InferenceException.class, () -> new PlanCheck().check(plan, view));
    assertEquals(ErrorCode.INVALID_PLAN, error.code());
    assertTrue(error.toString().contains("the scheduler "), error.toString());
    assertTrue(error.toString().contains(rule), error.toString());
  }
}
