package dev.millrace.testkit;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.NamedScheduler;
import dev.millrace.engine.RequestTerms;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.flight.FlightRecording;
import dev.millrace.engine.flight.RecordedStep;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class FlightRecorderTest {
  @Parameter int stepsAhead;

  private static final EngineSettings TIGHT =
      new EngineSettings(64, 6, 24, 4, 30, true, 1000, 100_000);

  @TempDir Path folder;

  /** First come, first served, with a memo that grows and changes. */
  private static StepPlan remembering(EngineView view) {
    var plan = new FirstComeFirstServed().plan(view);
    var before = view.memo() instanceof Map<?, ?> map ? map : Map.of();
    long steps = before.get("steps") instanceof Long count ? count : 0;
    return steps % 7 == 6
        ? plan.withMemo(null)
        : plan.withMemo(Map.of("steps", steps + 1, "last", List.of("a", 2, 0.5)));
  }

  @Test
  void everyViewIsRebuiltAndEveryPlanMadeAgain() throws Exception {
    var seen = Collections.synchronizedList(new ArrayList<Snapshot>());
    var plans = Collections.synchronizedList(new ArrayList<StepPlan>());
    Scheduler watched =
        view -> {
          seen.add(Snapshot.of(view));
          var plan = remembering(view);
          plans.add(plan);
          return plan;
        };
    var file = record(watched);
    var steps = FlightRecording.read(file);
    assertTrue(steps.size() > 200, steps.size() + " steps");
    assertEquals(seen.size(), steps.size());
    assertTrue(plans.stream().anyMatch(plan -> !plan.preempt().isEmpty()), "some are preempted");
    assertTrue(
        seen.stream().anyMatch(view -> view.waiting().stream().anyMatch(s -> s.computed() > 0)),
        "some are found in the cache");
    for (int i = 0; i < steps.size(); i++) {
      assertEquals(seen.get(i), Snapshot.of(steps.get(i).view()), "view " + i);
      assertEquals(plans.get(i), steps.get(i).plan(), "plan " + i);
    }
  }

  @Test
  void aSchedulerThatAsksLittlePlansTheSameAgain() throws Exception {
    Scheduler scheduler = FlightRecorderTest::remembering;
    var steps = FlightRecording.read(record(scheduler));
    assertTrue(steps.size() > 200, steps.size() + " steps");
    for (RecordedStep step : steps) {
      assertFalse(step.replaced());
      assertEquals("test", step.scheduler());
      assertEquals(step.plan(), scheduler.plan(step.view()), "step " + step.step());
    }
  }

  @Test
  void aRecordingThatBeginsLateIsReadFromItsFirstWholeView() throws Exception {
    try (var host = new TestEngine(stepsAhead, TIGHT, FlightRecorderTest::remembering)) {
      var before = submit(host, 5);
      try (var recording = new Recording()) {
        recording.enable("dev.millrace.Step");
        recording.start();
        var during = submit(host, 20);
        readAll(before);
        readAll(during);
        recording.stop();
        var file = folder.resolve("late.jfr");
        recording.dump(file);
        var steps = FlightRecording.read(file);
        assertTrue(steps.size() > 20, steps.size() + " steps");
        for (var step : steps) {
          assertEquals(step.plan(), remembering(step.view()), "step " + step.step());
        }
      }
    }
  }

  @Test
  void viewsOfAThousandSequencesFit() throws Exception {
    var wide = new EngineSettings(64, 1024, 2048, 4, 40_000, true, 5000, 10_000_000);
    try (var recording = new Recording();
        var host = new TestEngine(stepsAhead, wide, new FirstComeFirstServed())) {
      recording.enable("dev.millrace.Step");
      recording.start();
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < 1500; i++) {
        streams.add(host.engine.submit(TestEngine.request(new int[] {i % 500, i % 7}, 6)));
      }
      readAll(streams);
      recording.stop();
      var file = folder.resolve("wide.jfr");
      recording.dump(file);
      var steps = FlightRecording.read(file);
      assertTrue(steps.stream().anyMatch(step -> step.view().running().size() > 500));
      for (var step : steps) {
        assertEquals(step.plan(), new FirstComeFirstServed().plan(step.view()));
      }
    }
  }

  @Test
  void switchOfTheSchedulerIsReplayedWithTheOneThatPlanned() throws Exception {
    Scheduler other = new FirstComeFirstServed(); // leaves no memo
    var file = folder.resolve("switch.jfr");
    try (var recording = new Recording();
        var host = new TestEngine(stepsAhead, TIGHT, FlightRecorderTest::remembering)) {
      recording.enable("dev.millrace.Step");
      recording.start();
      var streams = submit(host, 60);
      host.engine.schedule(new NamedScheduler("other", other));
      streams.addAll(submit(host, 10));
      host.engine.schedule(new NamedScheduler("test", FlightRecorderTest::remembering));
      streams.addAll(submit(host, 10));
      readAll(streams);
      recording.stop();
      recording.dump(file);
    }
    var steps = FlightRecording.read(file);
    assertEquals(
        Set.of("test", "other"), steps.stream().map(RecordedStep::scheduler).collect(toSet()));
    for (var step : steps) {
      var planned =
          step.scheduler().equals("other") ? other.plan(step.view()) : remembering(step.view());
      assertEquals(step.plan(), planned, "step " + step.step());
    }
  }

  private Path record(Scheduler scheduler) throws Exception {
    var file = folder.resolve("run.jfr");
    try (var recording = new Recording()) {
      recording.enable("dev.millrace.Step");
      recording.start();
      try (var host = new TestEngine(stepsAhead, TIGHT, scheduler)) {
        var streams = submit(host, 80);
        for (int i = 0; i < streams.size(); i += 9) {
          streams.get(i).cancel();
        }
        readAll(streams);
        assertNotNull(host.engine.stats());
      }
      recording.stop();
      recording.dump(file);
    }
    return file;
  }

  private static List<TokenStream> submit(TestEngine host, int count) throws Exception {
    var random = new SplittableRandom(count);
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < count; i++) {
      int[] prompt = new int[1 + random.nextInt(30)];
      for (int at = 0; at < prompt.length; at++) {
        prompt[at] = at < 12 ? at : random.nextInt(ToyDecoder.VOCABULARY);
      }
      var terms =
          new RequestTerms(
              random.nextInt(-3, 4),
              random.nextBoolean() ? "" : "a; tenant, 中",
              "",
              RequestTerms.NO_TIMEOUT,
              RequestTerms.NO_TIMEOUT);
      var request =
          GenerationRequest.of(
                  "flight", prompt, 16, SamplingParams.greedy(), StopConditions.at(Set.of()))
              .with(terms);
      streams.addAll(host.engine.submit(request, random.nextInt(5) == 0 ? 3 : 1));
      if (random.nextInt(4) == 0) {
        Thread.sleep(1);
      }
    }
    return streams;
  }

  private static void readAll(List<TokenStream> streams) throws InterruptedException {
    for (var stream : streams) {
      TestEngine.read(stream);
    }
  }
}
