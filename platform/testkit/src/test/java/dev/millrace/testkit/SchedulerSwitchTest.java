package dev.millrace.testkit;

import static dev.millrace.testkit.TestEngine.read;
import static dev.millrace.testkit.TestEngine.request;
import static dev.millrace.testkit.TestEngine.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.NamedScheduler;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Another scheduler takes over between two steps. */
@Timeout(20)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class SchedulerSwitchTest {
  @Parameter int stepsAhead;

  private static final EngineSettings TIGHT = settings(16, 24, 40);
  private static final Scheduler FIRST_COME = new FirstComeFirstServed();

  /** One token each, the last comer first. */
  private static final Scheduler LAST_COME =
      view ->
          StepPlan.of(
              view.running().reversed().stream()
                  .filter(sequence -> view.blocksFor(sequence, 1) == 0)
                  .map(sequence -> new Grant(sequence.id(), 1))
                  .toList());

  private static final Scheduler THROWING =
      _ -> {
        throw new IllegalStateException("a fault of the plugin");
      };

  private static List<TokenStream> submit(TestEngine host) {
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < 24; i++) {
      streams.add(host.engine.submit(request(new int[] {i + 1, 2 * i, 5}, 40)));
    }
    return streams;
  }

  private static List<List<Integer>> answers(List<TokenStream> streams) throws Exception {
    var answers = new ArrayList<List<Integer>>();
    for (var stream : streams) {
      answers.add(read(stream).tokens());
    }
    return answers;
  }

  @Test
  void answersAreThoseOfTheUnswitchedRun() throws Exception {
    List<List<Integer>> unswitched;
    try (var host = new TestEngine(0, TIGHT, FIRST_COME)) {
      unswitched = answers(submit(host));
    }
    try (var host = new TestEngine(stepsAhead, TIGHT, FIRST_COME)) {
      var streams = submit(host);
      for (int i = 0; i < 200; i++) {
        var next =
            switch (i % 3) {
              case 0 -> new NamedScheduler("last-come", LAST_COME);
              case 1 -> new NamedScheduler("throwing", THROWING);
              default -> new NamedScheduler("first-come", new FirstComeFirstServed());
            };
        host.engine.schedule(next);
        assertEquals(next.name(), host.engine.stats().scheduler());
      }
      host.engine.schedule(new NamedScheduler("first-come", FIRST_COME));
      assertEquals(unswitched, answers(streams));
      assertEquals(TIGHT.blocks(), host.freeBlocksWhenIdle());
    }
  }

  @Test
  void successorSeesNoMemo() throws Exception {
    var memos = new CopyOnWriteArrayList<String>();
    class Remembering implements Scheduler {
      @Override
      public StepPlan plan(EngineView view) {
        memos.add(String.valueOf(view.memo()));
        return FIRST_COME.plan(view).withMemo("mine");
      }
    }
    try (var host = new TestEngine(stepsAhead, TIGHT, new Remembering())) {
      var _ = read(host.engine.submit(request(new int[] {1, 2}, 3)));
      assertEquals("null", memos.removeFirst());
      assertEquals(Set.of("mine"), Set.copyOf(memos));
      host.engine.schedule(new NamedScheduler("again", new Remembering()));
      int before = memos.size();
      var _ = read(host.engine.submit(request(new int[] {1, 2}, 1)));
      assertEquals("null", memos.get(before));
    }
  }

  @Test
  void deposedSchedulerIsNamedUntilAnotherOneTakesOver() throws Exception {
    try (var host = new TestEngine(stepsAhead, TIGHT, THROWING)) {
      assertEquals(5, read(host.engine.submit(request(new int[] {1, 2}, 5))).tokens().size());
      var stats = host.engine.stats();
      assertTrue(
          String.valueOf(stats.deposed()).contains("scheduler test failed 3 times"),
          stats.toString());
      host.engine.schedule(new NamedScheduler("first-come", FIRST_COME));
      assertNull(host.engine.stats().deposed());
      assertEquals(5, read(host.engine.submit(request(new int[] {1, 2}, 5))).tokens().size());
      assertEquals(3, host.engine.stats().refusedPlans());
    }
  }

  @Test
  void stoppedEngineTakesNone() throws Exception {
    var host = new TestEngine(stepsAhead, TIGHT, FIRST_COME);
    host.close();
    var e =
        assertThrows(
            InferenceException.class,
            () -> host.engine.schedule(new NamedScheduler("late", FIRST_COME)));
    assertEquals(ErrorCode.UNAVAILABLE, e.code());
  }
}
