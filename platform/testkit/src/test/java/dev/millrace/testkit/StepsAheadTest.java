package dev.millrace.testkit;

import static dev.millrace.testkit.TestEngine.read;
import static dev.millrace.testkit.TestEngine.request;
import static dev.millrace.testkit.TestEngine.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.Logprobs;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.testkit.TestEngine.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client cannot tell whether the device runs a step ahead. */
@Timeout(60)
class StepsAheadTest {
  private static final EngineSettings AMPLE = settings(32, 512, 1024);
  private static final TestEngine.Drawing ALL = new TestEngine.LookedAt((_, _) -> {});

  /** What a device is asked for, in order. */
  private final List<String> calls = new CopyOnWriteArrayList<>();

  /** Draws all that is asked for, and notes when. */
  private final class Noting implements TestEngine.Drawing {
    @Override
    public void draw(DeviceModel model, TokenDraws draws) {
      ALL.draw(model, draws);
    }

    @Override
    public void await(TokenDraws draws) {
      calls.add("await");
    }
  }

  private TestEngine noting() {
    return new TestEngine(
        1,
        AMPLE,
        new FirstComeFirstServed(),
        batch -> calls.add("run " + batch.rows()),
        (_, _) -> {},
        new Noting());
  }

  @Test
  void nextStepIsBegunBeforeTheTokensOfTheLastAreKnown() throws Exception {
    try (var host = noting()) {
      var _ = read(host.engine.submit(request(new int[] {1, 2, 3}, 4)));
      var _ = host.freeBlocksWhenIdle();
    }
    var inTurn = List.of("run 3", "run 1", "await", "run 1", "await", "run 1", "await", "await");
    assertEquals(inTurn, calls, "and none behind the longest answer");
  }

  @Test
  void whoNeedsLogitsIsWaitedFor() throws Exception {
    try (var host = noting()) {
      var rated = request(new int[] {1, 2, 3}, 3).with(Logprobs.ofAnswer(1));
      var _ = read(host.engine.submit(rated));
    }
    assertEquals(List.of("run 3", "await", "run 1", "await", "run 1", "await"), calls);
  }

  @Test
  void whatIsComputedBehindAStopIsNowhere() throws Exception {
    int[] prompt = {5, 6, 7};
    List<Integer> free;
    try (var host = new TestEngine(0, AMPLE, new FirstComeFirstServed())) {
      free = read(host.engine.submit(request(prompt, 12))).tokens();
    }
    int stop = free.get(5);
    try (var host = noting()) {
      var until = StopConditions.at(Set.of(stop));
      var request = GenerationRequest.of("s", prompt, 12, SamplingParams.greedy(), until);
      var answer = read(host.engine.submit(request));
      int length = free.indexOf(stop) + 1;
      assertEquals(free.subList(0, length), answer.tokens());
      var end = assertInstanceOf(StreamEvent.Finished.class, answer.end());
      assertEquals(length, end.usage().completionTokens());
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
      assertEquals(length + 1, calls.stream().filter(call -> call.startsWith("run")).count());
    }
  }

  @Test
  void nobodyGivesWayToOneThatEndsWithTheStepUnderWay() throws Exception {
    var two = new EngineSettings(16, 2, 64, 4, 4, false, 100, 1000); // two blocks each
    try (var host = new TestEngine(1, two, new FirstComeFirstServed())) {
      var first = host.engine.submit(request(new int[] {1, 2, 3}, 6));
      var second = host.engine.submit(request(new int[] {4, 5, 6}, 6));
      assertEquals(6, read(first).tokens().size());
      assertEquals(6, read(second).tokens().size());
      assertEquals(0, host.engine.stats().preemptions());
    }
  }

  @Test
  void aStepThatIsLostLateTakesTheOneBehindItAlong() throws Exception {
    class Failing implements TestEngine.Drawing {
      private int awaited;

      @Override
      public void draw(DeviceModel model, TokenDraws draws) {
        ALL.draw(model, draws);
      }

      @Override
      public void await(TokenDraws draws) {
        if (++awaited == 3) {
          throw new InferenceException(ErrorCode.DEVICE_FAILURE, "the card hiccups");
        }
      }
    }
    try (var host =
        new TestEngine(
            1, AMPLE, new FirstComeFirstServed(), _ -> {}, (_, _) -> {}, new Failing())) {
      var lost = read(host.engine.submit(request(new int[] {1, 2}, 9)));
      var end = assertInstanceOf(StreamEvent.Failed.class, lost.end());
      assertEquals(ErrorCode.DEVICE_FAILURE, end.error().code());
      assertEquals(2, lost.tokens().size());
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
      assertEquals(5, read(host.engine.submit(request(new int[] {1, 2}, 5))).tokens().size());
    }
  }

  @Test
  void answersOfAllKindsAreThoseWithoutAStepAhead() throws Exception {
    var random = new SplittableRandom(5);
    var requests = new ArrayList<GenerationRequest>();
    for (int i = 0; i < 60; i++) {
      requests.add(anyRequest(random));
    }
    var alone = new ArrayList<List<Answer>>();
    try (var host = new TestEngine(0, AMPLE, new FirstComeFirstServed())) {
      for (var request : requests) {
        alone.add(readAll(host.engine.submit(request, answers(request))));
      }
    }
    long preempted = 0;
    for (var tight : List.of(AMPLE, settings(32, 16, 1024), settings(8, 16, 20))) {
      try (var host = new TestEngine(1, tight, new FirstComeFirstServed())) {
        var streams = new ArrayList<List<TokenStream>>();
        for (var request : requests) {
          streams.add(host.engine.submit(request, answers(request)));
        }
        for (int i = 0; i < requests.size(); i++) {
          var answers = readAll(streams.get(i));
          for (int k = 0; k < answers.size(); k++) {
            var where = tight + ", request " + i + ", answer " + k;
            assertEquals(alone.get(i).get(k).tokens(), answers.get(k).tokens(), where);
            assertEquals(alone.get(i).get(k).text(), answers.get(k).text(), where);
            assertEquals(reason(alone.get(i).get(k)), reason(answers.get(k)), where);
          }
        }
        assertEquals(tight.blocks(), host.freeBlocksWhenIdle());
        preempted += host.engine.stats().preemptions();
      }
    }
    assertTrue(preempted > 5, preempted + " sequences were preempted");
  }

  private static GenerationRequest anyRequest(SplittableRandom random) {
    int[] prompt = random.ints(1 + random.nextInt(20), 0, ToyDecoder.VOCABULARY).toArray();
    double temperature = random.nextInt(2);
    double repetition = random.nextInt(6) == 0 ? 1.3 : 1;
    var params =
        new SamplingParams(
            temperature, 0, 0.98, 0, repetition, 0, 0, Map.of(), random.nextInt(1000));
    var ids = new ArrayList<Integer>();
    random.ints(random.nextInt(3) == 0 ? 60 : 1, 0, ToyDecoder.VOCABULARY).forEach(ids::add);
    var strings = random.nextInt(4) == 0 ? List.of("e") : List.<String>of();
    var stop = new StopConditions(strings, false, Set.copyOf(ids), random.nextInt(3), true);
    var request = GenerationRequest.of("any", prompt, 1 + random.nextInt(24), params, stop);
    return random.nextInt(12) == 0 ? request.with(Logprobs.ofAnswer(1)) : request;
  }

  private static int answers(GenerationRequest request) {
    return request.prompt().length % 7 == 0 ? 3 : 1;
  }

  private static List<Answer> readAll(List<TokenStream> streams) throws InterruptedException {
    var answers = new ArrayList<Answer>();
    for (var stream : streams) {
      answers.add(read(stream));
    }
    return answers;
  }

  private static String reason(Answer answer) {
    var finished = assertInstanceOf(StreamEvent.Finished.class, answer.end());
    var usage = finished.usage();
    return finished.reason() + " " + usage.promptTokens() + " " + usage.completionTokens();
  }
}
