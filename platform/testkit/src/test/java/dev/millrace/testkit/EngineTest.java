package dev.millrace.testkit;

import static dev.millrace.testkit.TestEngine.read;
import static dev.millrace.testkit.TestEngine.request;
import static dev.millrace.testkit.TestEngine.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.FinishReason;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Scheduler;
import java.util.ArrayList;
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

@Timeout(10)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class EngineTest {
  @Parameter int stepsAhead;

  private static final Scheduler FIRST_COME = new FirstComeFirstServed();
  private static final EngineSettings AMPLE = settings(32, 512, 1024);

  @Test
  void answersAreTheSameAloneInACrowdInChunksAndAfterPreemption() throws Exception {
    var random = new SplittableRandom(7);
    var prompts = new ArrayList<int[]>();
    for (int i = 0; i < 40; i++) {
      prompts.add(random.ints(1 + random.nextInt(30), 0, ToyDecoder.VOCABULARY).toArray());
    }
    var alone = new ArrayList<List<Integer>>();
    try (var host = new TestEngine(0, AMPLE, FIRST_COME)) {
      for (int[] prompt : prompts) {
        alone.add(read(host.engine.submit(request(prompt, 20))).tokens());
      }
    }
    assertTrue(alone.stream().distinct().count() > 30, "the toy model tells prompts apart");
    for (var tight :
        List.of(AMPLE, settings(32, 16, 1024), settings(32, 7, 40), settings(5, 64, 17))) {
      var submitted = new CountDownLatch(1);
      try (var host = new TestEngine(stepsAhead, tight, FIRST_COME, _ -> await(submitted))) {
        var streams = new ArrayList<TokenStream>();
        for (int[] prompt : prompts) {
          streams.add(host.engine.submit(request(prompt, 20)));
        }
        submitted.countDown();
        for (int i = 0; i < prompts.size(); i++) {
          assertEquals(alone.get(i), read(streams.get(i)).tokens(), tight + ", prompt " + i);
        }
        assertEquals(tight.blocks(), host.freeBlocksWhenIdle());
        if (tight.blocks() == 40) {
          assertTrue(host.engine.stats().preemptions() > 0, "the pool was meant to be tight");
        }
      }
    }
  }

  @Test
  void anAnswerEndsAtItsLongestLengthAndAtTheContext() throws Exception {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      var short1 = read(host.engine.submit(request(new int[] {1, 2}, 3)));
      var finished = assertInstanceOf(StreamEvent.Finished.class, short1.end());
      assertEquals(FinishReason.LENGTH, finished.reason());
      assertEquals(3, finished.usage().completionTokens());
      assertEquals(2, finished.usage().promptTokens());
      var whole = read(host.engine.submit(request(new int[60], 100)));
      assertEquals(4, whole.tokens().size());
      var error =
          assertThrows(InferenceException.class, () -> host.engine.submit(request(new int[64], 1)));
      assertEquals(ErrorCode.CONTEXT_TOO_LONG, error.code());
    }
  }

  @Test
  void aStopTokenEndsTheAnswerAndLeavesNoText() throws Exception {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      int[] prompt = {5, 6, 7};
      var free = read(host.engine.submit(request(prompt, 12)));
      int stop = free.tokens().get(5);
      int first = free.tokens().indexOf(stop);
      var stopped = read(host.engine.submit(with(prompt, StopConditions.at(Set.of(stop)))));
      assertEquals(free.tokens().subList(0, first + 1), stopped.tokens());
      assertTrue(free.text().startsWith(stopped.text()), stopped.text());
      var end = assertInstanceOf(StreamEvent.Finished.class, stopped.end());
      assertEquals(FinishReason.STOP, end.reason());
      assertEquals(first + 1, end.usage().completionTokens());
    }
  }

  @Test
  void minTokensKeepsStopTokensAway() throws Exception {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      int[] prompt = {5, 6, 7};
      int first = read(host.engine.submit(request(prompt, 1))).tokens().getFirst();
      var stop = new StopConditions(List.of(), false, Set.of(first), 4, true);
      var answer = read(host.engine.submit(with(prompt, stop)));
      assertTrue(answer.tokens().size() > 4, answer.tokens().toString());
      assertFalse(answer.tokens().subList(0, 4).contains(first));
    }
  }

  @Test
  void aStopStringEndsTheAnswerBeforeIt() throws Exception {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      int[] prompt = {9, 8};
      var free = read(host.engine.submit(request(prompt, 30)));
      String stop = free.text().substring(6, 9);
      int at = free.text().indexOf(stop);
      var strings = new StopConditions(List.of(stop), false, Set.of(), 0, true);
      var stopped = read(host.engine.submit(with(prompt, strings)));
      assertEquals(free.text().substring(0, at), stopped.text());
      var end = assertInstanceOf(StreamEvent.Finished.class, stopped.end());
      assertEquals(FinishReason.STOP, end.reason());
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
    }
  }

  @Test
  void minTokensHoldsStopStringsBack() throws Exception {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      int[] prompt = {9, 8};
      var free = read(host.engine.submit(request(prompt, 30)));
      String stop = free.text().substring(0, 1);
      var strings = new StopConditions(List.of(stop), false, Set.of(), 6, true);
      var answer = read(host.engine.submit(with(prompt, strings)));
      assertTrue(answer.tokens().size() > 6, answer.tokens().toString());
      assertTrue(free.text().startsWith(answer.text()), answer.text());
    }
  }

  @Test
  void idsOutsideTheVocabularyAreRefusedWhereverTheyStand() {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      var biased = new SamplingParams(0, 0, 1, 0, 1, 0, 0, Map.of(512, 1.0), 0);
      var wrong =
          List.of(
              request(new int[] {512}, 1),
              with(new int[] {1}, StopConditions.at(Set.of(-1))),
              GenerationRequest.of("b", new int[] {1}, 1, biased, StopConditions.at(Set.of())));
      for (var request : wrong) {
        var error = assertThrows(InferenceException.class, () -> host.engine.submit(request));
        assertEquals(ErrorCode.INVALID_REQUEST, error.code());
      }
    }
  }

  @Test
  void aSeedDecidesTheAnswerWhateverTheNeighbours() throws Exception {
    var sampling = new SamplingParams(1, 0, 0.95, 0, 1, 0, 0, Map.of(), 42);
    var wanted =
        GenerationRequest.of("s", new int[] {3}, 20, sampling, StopConditions.at(Set.of()));
    try (var host = new TestEngine(stepsAhead, settings(8, 16, 1024), FIRST_COME)) {
      var alone = read(host.engine.submit(wanted)).tokens();
      var crowd = new ArrayList<TokenStream>();
      for (int i = 0; i < 6; i++) {
        crowd.add(host.engine.submit(request(new int[10 + i], 30)));
      }
      assertEquals(alone, read(host.engine.submit(wanted)).tokens());
      for (var stream : crowd) {
        assertEquals(30, read(stream).tokens().size());
      }
    }
  }

  private static GenerationRequest with(int[] prompt, StopConditions stop) {
    return GenerationRequest.of("test", prompt, 30, SamplingParams.greedy(), stop);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
