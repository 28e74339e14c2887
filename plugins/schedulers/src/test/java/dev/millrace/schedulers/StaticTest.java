package dev.millrace.schedulers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.testkit.SchedulerContract;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StaticTest extends SchedulerContract {
  private static final long MS = 1_000_000;

  @Override
  protected Scheduler create() {
    return new StaticPlugin().create(Map.of());
  }

  @Test
  void waitsForAFullBatchUntilTheOldestHasWaitedLongEnough() {
    var views = views(16, 3, 100).waiting(1, 4, 4, 10 * MS).waiting(2, 4, 4, 30 * MS);
    var plan = create().plan(views.at(40 * MS, null));
    assertEquals(List.of(), plan.grants());
    assertEquals(60 * MS, plan.wakeAtNanos());
    assertEquals(Map.of(1L, 4, 2L, 4), Views.grants(create().plan(views.at(60 * MS, null))));
  }

  @Test
  void startsAtOnceWhenTheBatchIsFull() {
    var views = views(16, 2, 100).waiting(1, 4, 4, 0).waiting(2, 4, 4, 0).waiting(3, 4, 4, 0);
    assertEquals(Map.of(1L, 4, 2L, 4), Views.grants(create().plan(views.now())));
  }

  @Test
  void takesBatchSizeAndWaitFromItsSettings() {
    var scheduler = new StaticPlugin().create(Map.of("batch-size", "2", "max-wait-ms", "5"));
    var views = views(16, 8, 100).waiting(1, 4, 4, 0);
    assertEquals(5 * MS, scheduler.plan(views.now()).wakeAtNanos());
    views.waiting(2, 4, 4, 0).waiting(3, 4, 4, 0);
    assertEquals(Map.of(1L, 4, 2L, 4), Views.grants(scheduler.plan(views.now())));
  }

  @Test
  void doesNotWaitForSequencesTheBlocksCouldNotHold() {
    // blocks of 4: 8 + 8 tokens fit into 4 blocks, 4 more do not
    var views = views(32, 8, 4).waiting(1, 4, 4, 0).waiting(2, 4, 4, 0).waiting(3, 2, 2, 0);
    assertEquals(Map.of(1L, 4, 2L, 4), Views.grants(create().plan(views.now())));
  }

  @Test
  void reservesTheLongestLengthOfEverySequence() {
    // prompts alone would fit, side by side with their answers they do not
    var views = views(32, 8, 10).waiting(1, 4, 20, 0).waiting(2, 4, 20, 0);
    assertEquals(Map.of(1L, 4), Views.grants(create().plan(views.now())));
  }

  @Test
  void letsNobodyJoinARunningBatch() {
    var views = views(16, 8, 100).running(1, 10, 9).waiting(2, 4, 4, 0);
    assertEquals(Map.of(1L, 1), Views.grants(create().plan(views.at(1_000 * MS, List.of()))));
  }

  @Test
  void startsTheRestOfItsBatchWhenTheBudgetAllows() {
    var views = views(6, 3, 100).waiting(1, 4, 4, 0).waiting(2, 4, 4, 0).waiting(3, 4, 4, 0);
    var first = create().plan(views.now());
    assertEquals(Map.of(1L, 4, 2L, 2), Views.grants(first));
    assertEquals(List.of(3L), first.memo());
    var next = views(6, 3, 100).running(1, 5, 4).running(2, 4, 2).waiting(3, 4, 4, 0);
    next.waiting(4, 4, 4, 0);
    var second = create().plan(next.at(0, first.memo()));
    assertEquals(Map.of(1L, 1, 2L, 2, 3L, 3), Views.grants(second));
    assertEquals(List.of(), second.memo());
  }

  @Test
  void goesOnWithTheRestOfItsBatchThoughTheStartedOnesHaveEnded() {
    var views = views(6, 3, 100).waiting(3, 4, 4, 0).waiting(4, 4, 4, 0);
    var plan = create().plan(views.at(0, List.of(3L)));
    assertEquals(Map.of(3L, 4), Views.grants(plan));
  }

  @Test
  void takesSequencesItFindsRunningAsItsBatch() {
    var views = views(16, 8, 100).running(1, 10, 9).running(2, 20, 12).waiting(3, 4, 4, 0);
    assertEquals(Map.of(1L, 1, 2L, 8), Views.grants(create().plan(views.at(1_000 * MS, null))));
  }

  @Test
  void aSequenceWhoseTimeIsUpStartsAlone() {
    var views = views(16, 8, 100).waiting(1, 4, 4, 0);
    assertEquals(Map.of(1L, 4), Views.grants(create().plan(views.at(50 * MS, null))));
  }

  @ParameterizedTest
  @CsvSource({"batch-size,0", "batch-size,four", "max-wait-ms,-1", "max-wait-ms,1.5", "wait,5"})
  void wrongSettingsAreRefusedByName(String name, String value) {
    var plugin = new StaticPlugin();
    var error = assertThrows(InferenceException.class, () -> plugin.create(Map.of(name, value)));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertTrue(error.toString().contains(name), error.toString());
  }

  @Test
  void allSchedulersAreFoundByName() {
    var names =
        ServiceLoader.load(SchedulerPlugin.class).stream().map(p -> p.get().name()).toList();
    assertEquals(List.of("continuous", "static", "priority", "shortest-first"), names);
  }

  @Test
  void furtherAnswersOfAMemberJoinTheirBatchIfTheyFitToTheEnd() {
    var views = views(16, 3, 100).running(1, 9, 8).sibling(2, 1, 9, 4).waiting(3, 4, 4, 0);
    assertEquals(Map.of(1L, 1, 2L, 9), Views.grants(create().plan(views.now())));
    var tight = views(16, 3, 5).running(1, 9, 8).sibling(2, 1, 4, 16);
    assertEquals(Map.of(1L, 1), Views.grants(create().plan(tight.now())));
  }

  @Test
  void furtherAnswersLeaveTheirBatchTheBlocksItWasPromised() {
    // member 1 holds 2 of the 28 blocks it may come to; each further answer needs 5
    var tight = views(64, 8, 30).running(1, 9, 8).sibling(2, 1, 9, 11);
    assertEquals(Map.of(1L, 1), Views.grants(create().plan(tight.now())));
    var forOne = views(64, 8, 33).running(1, 9, 8).sibling(2, 1, 9, 11).sibling(3, 1, 9, 11);
    assertEquals(Map.of(1L, 1, 2L, 9), Views.grants(create().plan(forOne.now())));
  }

  @Test
  void furtherAnswersDoNotMakeABatchLargerThanItMayBe() {
    var lone = new StaticPlugin().create(Map.of("batch-size", "1"));
    var views = views(64, 8, 100).running(1, 9, 8).sibling(2, 1, 9, 11);
    assertEquals(Map.of(1L, 1), Views.grants(lone.plan(views.now())));
  }

  private static Views views(int tokens, int sequences, int blocks) {
    return new Views(new Limits(tokens, sequences, 4, blocks));
  }
}
