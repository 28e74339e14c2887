package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.Logprobs;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.testkit.TestEngine.Answer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens that a device chooses itself, beside those that the engine chooses. */
@ParameterizedClass
@ValueSource(ints = {0, 1})
class DrawnTokensTest {
  @Parameter int stepsAhead;

  private static final int[] PROMPT = {3, 1, 4, 1, 5};
  private static final int LENGTH = 6;

  private final AtomicInteger drawn = new AtomicInteger();
  private final AtomicInteger looked = new AtomicInteger();

  private TestEngine engine(TestEngine.Drawing drawing) {
    return engine(stepsAhead, drawing);
  }

  private TestEngine engine(int ahead, TestEngine.Drawing drawing) {
    return new TestEngine(
        ahead,
        TestEngine.settings(4, 64, 64),
        new FirstComeFirstServed(),
        _ -> {},
        (_, _) -> looked.incrementAndGet(),
        drawing);
  }

  /** The likeliest tokens, as a device finds them. */
  private void likeliest(DeviceModel model, TokenDraws draws) {
    float[] logits = new float[ToyDecoder.VOCABULARY];
    for (int i = 0; i < draws.count(); i++) {
      model.logits(draws.pick(i), logits);
      int best = 0;
      for (int token = 1; token < logits.length; token++) {
        best = logits[token] > logits[best] ? token : best;
      }
      draws.drawn(i, best);
      drawn.incrementAndGet();
    }
  }

  private static GenerationRequest request(SamplingParams params, StopConditions stop) {
    return GenerationRequest.of("test", PROMPT, LENGTH, params, stop);
  }

  private static Answer answer(TestEngine engine, GenerationRequest request) throws Exception {
    return TestEngine.read(engine.engine.submit(request));
  }

  @Test
  void theyAreTheEnginesOwnAndNoLogitsAreLookedAt() throws Exception {
    var request = TestEngine.request(PROMPT, LENGTH);
    List<Integer> tokens;
    try (var engine = engine(0, (_, _) -> {})) {
      tokens = answer(engine, request).tokens();
      assertEquals(LENGTH, looked.getAndSet(0));
    }
    try (var engine = engine(this::likeliest)) {
      assertEquals(tokens, answer(engine, request).tokens());
    }
    assertEquals(0, looked.get());
    assertEquals(LENGTH, drawn.get());
  }

  @Test
  void whoAsksForMoreThanATokenIsNotDrawnFor() throws Exception {
    var never = StopConditions.at(Set.of());
    var biased = new SamplingParams(0, 0, 1, 0, 1, 0, 0, Map.of(2, 1.0), 0);
    var repetitive = new SamplingParams(0, 0, 1, 0, 1.5, 0, 0, Map.of(), 0);
    try (var engine = engine(this::likeliest)) {
      for (var params : List.of(biased, repetitive)) {
        assertEquals(LENGTH, answer(engine, request(params, never)).tokens().size());
      }
      var rated = request(SamplingParams.greedy(), never).with(new Logprobs(2, -1));
      assertEquals(LENGTH, answer(engine, rated).tokens().size());
      assertEquals(0, drawn.get());
      assertEquals(3 * LENGTH, looked.get());
      var _ = answer(engine, TestEngine.request(PROMPT, LENGTH));
      assertEquals(LENGTH, drawn.get());
    }
  }

  private static void none(DeviceModel model, TokenDraws draws) {
    for (int i = 0; i < draws.count(); i++) {
      draws.drawn(i, TokenDraws.NO_TOKEN);
    }
  }

  /** So its own sampler says what is wrong, or chooses where only the device could not. */
  @Test
  void theEngineLooksWhereTheDeviceFoundNone() throws Exception {
    try (var engine = engine(0, DrawnTokensTest::none)) {
      assertEquals(LENGTH, answer(engine, TestEngine.request(PROMPT, LENGTH)).tokens().size());
    }
    assertEquals(LENGTH, looked.get());
  }

  @Test
  void thereIsNothingToLookAtOnceAFurtherStepHasRun() throws Exception {
    try (var engine = engine(1, DrawnTokensTest::none)) {
      var failed = answer(engine, TestEngine.request(PROMPT, LENGTH));
      var end = assertInstanceOf(StreamEvent.Failed.class, failed.end());
      assertEquals(ErrorCode.NUMERICAL_FAILURE, end.error().code());
      assertEquals(64, engine.freeBlocksWhenIdle());
    }
    assertEquals(0, looked.get());
  }

  @Test
  void aStepIsLostIfDrawingFails() throws Exception {
    var failure = new InferenceException(ErrorCode.DEVICE_FAILURE, "the card hiccups");
    try (var engine =
        engine((model, draws) -> {
          if (drawn.get() == 2) {
            drawn.incrementAndGet();
            throw failure;
          }
          likeliest(model, draws);
        })) {
      var lost = answer(engine, TestEngine.request(PROMPT, LENGTH));
      var end = assertInstanceOf(StreamEvent.Failed.class, lost.end());
      assertEquals(ErrorCode.DEVICE_FAILURE, end.error().code());
      assertEquals(2, lost.tokens().size());
      assertTrue(
          answer(engine, TestEngine.request(PROMPT, LENGTH)).end() instanceof StreamEvent.Finished);
      assertEquals(64, engine.freeBlocksWhenIdle());
    }
  }
}
