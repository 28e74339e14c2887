package dev.millrace.schedulers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.testkit.SchedulerContract;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ContinuousTest extends SchedulerContract {
  @Override
  protected Scheduler create() {
    return new ContinuousPlugin().create(Map.of());
  }

  @Test
  void mixesDecodingWithTheStartOfAPrompt() {
    var view = views(16, 8, 100).running(1, 10, 9).running(2, 20, 19).waiting(3, 8, 4, 0).now();
    assertEquals(Map.of(1L, 1, 2L, 1, 3L, 8), Views.grants(create().plan(view)));
  }

  @Test
  void cutsALongPromptAtTheTokenBudget() {
    var view = views(16, 8, 100).running(1, 10, 9).waiting(2, 40, 4, 0).waiting(3, 1, 4, 0).now();
    assertEquals(Map.of(1L, 1, 2L, 15), Views.grants(create().plan(view)));
  }

  @Test
  void goesOnWithARunningPromptBeforeItStartsAnother() {
    var view = views(16, 8, 100).running(1, 40, 15).waiting(2, 4, 4, 0).now();
    assertEquals(Map.of(1L, 16), Views.grants(create().plan(view)));
  }

  @Test
  void startsNobodyBeyondTheLimitOfSequences() {
    var view = views(16, 2, 100).running(1, 10, 9).waiting(2, 1, 4, 0).waiting(3, 1, 4, 0).now();
    assertEquals(Map.of(1L, 1, 2L, 1), Views.grants(create().plan(view)));
  }

  @Test
  void preemptsTheYoungerOneWithTheLeastComputed() {
    // blocks of 4: sequence 1 needs a third one, all 8 are held
    var views =
        views(16, 8, 8).running(1, 9, 8).running(2, 8, 7).running(3, 4, 3).running(4, 12, 9);
    var plan = create().plan(views.waiting(5, 1, 1, 0).now());
    assertEquals(List.of(3L), plan.preempt());
    assertEquals(Map.of(1L, 1, 2L, 1, 4L, 3), Views.grants(plan));
  }

  @Test
  void preemptsTheYoungestOfEquals() {
    var view = views(16, 8, 4).running(1, 9, 8).running(2, 4, 3).running(3, 4, 3).now();
    assertEquals(List.of(3L), create().plan(view).preempt());
  }

  @Test
  void neverPreemptsAnOlderSequence() {
    var view = views(16, 8, 4).running(1, 4, 3).running(2, 13, 12).now();
    var plan = create().plan(view);
    assertEquals(List.of(), plan.preempt());
    assertEquals(Map.of(1L, 1), Views.grants(plan));
  }

  @Test
  void shortensAPieceOfAPromptBeforeItPreempts() {
    var view = views(16, 8, 5).running(1, 20, 6).running(2, 8, 7).now();
    var plan = create().plan(view);
    assertEquals(List.of(), plan.preempt());
    assertEquals(Map.of(1L, 6, 2L, 1), Views.grants(plan));
  }

  @Test
  void neverPreemptsInOrderToStartAnother() {
    var view = views(16, 8, 3).running(1, 10, 9).waiting(2, 4, 4, 0).now();
    var plan = create().plan(view);
    assertEquals(List.of(), plan.preempt());
    assertEquals(Map.of(1L, 1), Views.grants(plan));
  }

  @Test
  void startsNobodyWhoseTokensDoNotAllFit() {
    var view = views(6, 8, 5).running(1, 10, 9).waiting(2, 9, 4, 0).waiting(3, 4, 4, 0).now();
    assertEquals(Map.of(1L, 1), Views.grants(create().plan(view)));
  }

  @Test
  void keepsABlockSpareForEachThatRuns() {
    var views = views(16, 8, 5).running(1, 10, 9).waiting(2, 4, 4, 0);
    assertEquals(Map.of(1L, 1, 2L, 4), Views.grants(create().plan(views.now())));
    views.running(0, 3, 2);
    assertEquals(Map.of(0L, 1, 1L, 1), Views.grants(create().plan(views.now())));
  }

  @Test
  void hasNoSettings() {
    var plugin = new ContinuousPlugin();
    var error =
        assertThrows(InferenceException.class, () -> plugin.create(Map.of("batch-size", "4")));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertTrue(error.toString().contains("[batch-size]"), error.toString());
    assertTrue(error.toString().contains("continuous"), error.toString());
  }

  private static Views views(int tokens, int sequences, int blocks) {
    return new Views(new Limits(tokens, sequences, 4, blocks));
  }
}
