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

class ShortestFirstTest extends SchedulerContract {
  private static final long SECOND = 1_000_000_000;

  @Override
  protected Scheduler create() {
    return new ShortestFirstPlugin().create(Map.of());
  }

  @Test
  void startsTheShortestRestFirst() {
    var views = views(64, 2, 100).waiting(1, 20, 9, 0).waiting(2, 4, 4, 0).waiting(3, 2, 40, 0);
    assertEquals(Map.of(1L, 20, 2L, 4), Views.grants(create().plan(views.now())));
  }

  @Test
  void ofEqualRestsThePendingOneThatIsShorterIsFirst() {
    var views = views(64, 1, 100).waiting(1, 20, 10, 0).waiting(2, 10, 20, 0);
    assertEquals(Map.of(2L, 10), Views.grants(create().plan(views.now())));
  }

  @Test
  void whoHasWaitedLongEnoughIsNotOvertaken() {
    var views =
        views(64, 1, 100).waiting(1, 40, 40, 0).waiting(2, 30, 40, SECOND).waiting(3, 1, 1, SECOND);
    assertEquals(Map.of(3L, 1), Views.grants(create().plan(views.at(9 * SECOND, null))));
    assertEquals(Map.of(1L, 40), Views.grants(create().plan(views.at(10 * SECOND, null))));
    var hasty = new ShortestFirstPlugin().create(Map.of("max-wait-ms", "0"));
    assertEquals(Map.of(1L, 40), Views.grants(hasty.plan(views.at(SECOND, null))));
  }

  @Test
  void runningOnesGoOnFirst() {
    var view = views(3, 8, 100).running(1, 40, 8).waiting(2, 1, 1, 0).now();
    assertEquals(Map.of(1L, 3), Views.grants(create().plan(view)));
  }

  @Test
  void aShortOneDoesNotSlipPastAShorterOneThatLacksBlocks() {
    var view = views(64, 8, 5).running(1, 8, 7).waiting(2, 12, 1, 0).waiting(3, 4, 90, 0).now();
    var plan = create().plan(view);
    assertEquals(List.of(), plan.preempt());
    assertEquals(Map.of(1L, 1), Views.grants(plan));
  }

  @Test
  void itsSettingIsChecked() {
    var error =
        assertThrows(
            InferenceException.class,
            () -> new ShortestFirstPlugin().create(Map.of("max-wait-ms", "soon")));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
  }

  private static Views views(int tokens, int sequences, int blocks) {
    return new Views(new Limits(tokens, sequences, 4, blocks));
  }
}
