package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.Logprobs;
import dev.millrace.engine.RequestTerms;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.Usage;
import dev.millrace.engine.sample.SampledToken;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers do not change, to the bit, whoever shares blocks with whom. */
@Timeout(60)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class SharedBlocksTest {
  @Parameter int stepsAhead;

  private static final int ROUNDS = 12;

  /** One request of a round, and what it answers when it has an engine for itself. */
  private record Wanted(GenerationRequest request, int answers, List<List<SampledToken>> alone) {}

  @Test
  void answersAreTheSameBitsWhateverIsShared() throws Exception {
    int cached = 0;
    long preempted = 0;
    for (int round = 0; round < ROUNDS; round++) {
      var random = new SplittableRandom(round);
      var wanted = wanted(random);
      var settings = tight(random);
      try (var host = new TestEngine(stepsAhead, settings, new FirstComeFirstServed())) {
        var streams = new ArrayList<List<TokenStream>>();
        for (var each : wanted) {
          streams.add(host.engine.submit(each.request, each.answers));
          if (random.nextInt(3) == 0) {
            Thread.sleep(random.nextInt(3));
          }
        }
        for (int i = 0; i < wanted.size(); i++) {
          for (int k = 0; k < wanted.get(i).answers; k++) {
            var answer = read(streams.get(i).get(k));
            var where = "round %d, %s, request %d, answer %d".formatted(round, settings, i, k);
            assertEquals(wanted.get(i).alone.get(k), answer.tokens, where);
            cached += answer.usage.cachedTokens();
          }
        }
        assertEquals(settings.blocks(), host.freeBlocksWhenIdle());
        preempted += host.engine.stats().preemptions();
      }
    }
    assertTrue(cached > 500, cached + " tokens were found in the cache");
    assertTrue(preempted > 20, preempted + " sequences were preempted");
  }

  @Test
  void severalAnswersComputeThePromptOnceAndDiffer() throws Exception {
    for (boolean caching : new boolean[] {true, false}) {
      for (int prompt : new int[] {1, 3, 4, 7, 8, 41}) {
        var rows = new ArrayList<Integer>();
        var copies = new ArrayList<Integer>();
        var settings = new EngineSettings(64, 8, 512, 4, 200, caching, 100, 10_000);
        var sampled = sampled(new SplittableRandom(prompt).ints(prompt, 0, 500).toArray(), "");
        try (var host =
            new TestEngine(
                stepsAhead,
                settings,
                new FirstComeFirstServed(),
                batch -> {
                  rows.add(batch.rows());
                  copies.add(batch.copies());
                })) {
          var streams = host.engine.submit(sampled, 4);
          var answers = new ArrayList<List<SampledToken>>();
          for (var stream : streams) {
            answers.add(read(stream).tokens);
          }
          assertEquals(4, answers.stream().distinct().count());
          assertEquals(prompt, rows.getFirst(), "the prompt, once");
          assertTrue(rows.stream().skip(1).allMatch(count -> count <= 4), rows.toString());
          assertEquals(
              prompt % 4 == 0 ? 0 : 3,
              copies.stream().mapToInt(Integer::intValue).sum(),
              "a copy for each that shares a block that is partly filled");
          assertEquals(200, host.freeBlocksWhenIdle());
        }
      }
    }
  }

  @Test
  void aSaltSeparatesAndNoCachingSharesNothing() throws Exception {
    int[] prompt = new int[30];
    Arrays.setAll(prompt, i -> i);
    try (var host =
        new TestEngine(stepsAhead, TestEngine.settings(8, 512, 64), new FirstComeFirstServed())) {
      assertEquals(0, read(host.engine.submit(sampled(prompt, "a"))).usage.cachedTokens());
      assertEquals(0, read(host.engine.submit(sampled(prompt, "b"))).usage.cachedTokens());
      assertEquals(0, read(host.engine.submit(sampled(prompt, ""))).usage.cachedTokens());
      assertEquals(28, read(host.engine.submit(sampled(prompt, "a"))).usage.cachedTokens());
      assertEquals(28, read(host.engine.submit(sampled(prompt, ""))).usage.cachedTokens());
    }
    var without = new EngineSettings(64, 8, 512, 4, 64, false, 100, 10_000);
    try (var host = new TestEngine(stepsAhead, without, new FirstComeFirstServed())) {
      for (int i = 0; i < 3; i++) {
        assertEquals(0, read(host.engine.submit(sampled(prompt, ""))).usage.cachedTokens());
      }
    }
  }

  @Test
  void aPromptThatIsCachedWholeComputesItsLastTokenOnly() throws Exception {
    int[] prompt = new int[32];
    Arrays.setAll(prompt, i -> 3 * i);
    var rows = new ArrayList<Integer>();
    try (var host =
        new TestEngine(
            stepsAhead,
            TestEngine.settings(8, 512, 64),
            new FirstComeFirstServed(),
            batch -> rows.add(batch.rows()))) {
      var first = read(host.engine.submit(sampled(prompt, "")));
      rows.clear();
      var second = read(host.engine.submit(sampled(prompt, "")));
      assertEquals(31, second.usage.cachedTokens());
      assertEquals(1, rows.getFirst());
      assertEquals(first.tokens, second.tokens);
    }
  }

  @Test
  void aSiblingComputesThePromptWhenTheFirstLeaves() throws Exception {
    var release = new CountDownLatch(1);
    try (var host =
        new TestEngine(
            stepsAhead,
            TestEngine.settings(8, 4, 64),
            new FirstComeFirstServed(),
            _ -> {
              try {
                release.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            })) {
      var alone = sampled(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, "");
      var streams = host.engine.submit(alone, 3);
      streams.get(0).cancel();
      streams.get(2).cancel();
      release.countDown();
      assertInstanceOf(StreamEvent.Failed.class, TestEngine.read(streams.get(0)).end());
      assertInstanceOf(StreamEvent.Failed.class, TestEngine.read(streams.get(2)).end());
      var second = read(streams.get(1)).tokens;
      var again = host.engine.submit(alone, 2);
      assertNotEquals(read(again.get(0)).tokens, second);
      assertEquals(second, read(again.get(1)).tokens);
      assertEquals(64, host.freeBlocksWhenIdle());
    }
  }

  /** Requests with few beginnings, some with several answers. */
  private List<Wanted> wanted(SplittableRandom random) throws Exception {
    var beginnings = new ArrayList<int[]>();
    for (int i = 0; i < 3; i++) {
      beginnings.add(random.ints(random.nextInt(1, 25), 0, ToyDecoder.VOCABULARY).toArray());
    }
    var wanted = new ArrayList<Wanted>();
    for (int i = 0; i < 24; i++) {
      int[] beginning = beginnings.get(random.nextInt(3));
      int[] prompt = Arrays.copyOf(beginning, beginning.length + random.nextInt(8));
      for (int at = beginning.length; at < prompt.length; at++) {
        prompt[at] = random.nextInt(ToyDecoder.VOCABULARY);
      }
      int answers = random.nextInt(4) == 0 ? random.nextInt(2, 5) : 1;
      var request = sampled(prompt, random.nextInt(5) == 0 ? "salt" : "");
      if (stepsAhead > 0 && random.nextInt(3) > 0) {
        request = request.with(Logprobs.NONE); // so that the device draws its tokens
      }
      wanted.add(new Wanted(request, answers, alone(request, answers)));
    }
    return wanted;
  }

  private static List<List<SampledToken>> alone(GenerationRequest request, int answers)
      throws Exception {
    var alone = new ArrayList<List<SampledToken>>();
    var roomy = new EngineSettings(64, 1, 512, 4, 16, false, 100, 10_000);
    for (int k = 0; k < answers; k++) {
      var sampling = request.sampling().withSeed(request.sampling().seed() + k);
      var single =
          GenerationRequest.of(
                  "alone", request.prompt(), request.maxTokens(), sampling, request.stop())
              .with(request.logprobs());
      try (var host = new TestEngine(0, roomy, new FirstComeFirstServed())) {
        alone.add(read(host.engine.submit(single)).tokens);
      }
    }
    return alone;
  }

  private static EngineSettings tight(SplittableRandom random) {
    int[] budgets = {3, 7, 16, 64, 512};
    int budget = budgets[random.nextInt(budgets.length)];
    boolean caching = random.nextInt(4) > 0;
    return new EngineSettings(
        64, random.nextInt(2, 10), budget, 4, random.nextInt(17, 40), caching, 1000, 100_000);
  }

  private static GenerationRequest sampled(int[] prompt, String salt) {
    var sampling = new SamplingParams(1, 0, 1, 0, 1, 0, 0, Map.of(), prompt.length);
    var terms = new RequestTerms(0, "", salt, RequestTerms.NO_TIMEOUT, RequestTerms.NO_TIMEOUT);
    var stop = StopConditions.at(Set.of());
    return GenerationRequest.of("shared", prompt, 14, sampling, stop)
        .with(Logprobs.ofAnswer(2))
        .with(terms);
  }

  private record Answer(List<SampledToken> tokens, Usage usage) {}

  private static Answer read(TokenStream stream) throws InterruptedException {
    var tokens = new ArrayList<SampledToken>();
    while (true) {
      switch (stream.next()) {
        case StreamEvent.Prompt _ -> throw new AssertionError("nobody asked");
        case StreamEvent.Tokens more -> tokens.addAll(more.tokens());
        case StreamEvent.Finished end -> {
          return new Answer(tokens, end.usage());
        }
        case StreamEvent.Failed failed -> throw failed.error();
      }
    }
  }
}
