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
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that goes wrong in a step it shares with others fails, and they do not. */
@Timeout(20)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class FailsAloneTest {
  @Parameter int stepsAhead;

  private static final EngineSettings AMPLE = settings(16, 512, 1024);
  private static final int MARK = 99;
  private static final int[] MARKED = {7, MARK};

  /** No device draws its tokens. */
  private static final GenerationRequest LOOKED_AT = request(MARKED, 12).with(Logprobs.ofAnswer(0));

  /** What is done to the logits of the marked request. */
  private interface Fault {
    void run(float[] logits);
  }

  @Test
  void rowThatIsNotANumber() throws Exception {
    var error = failureBesideOthers(logits -> logits[5] = Float.NaN);
    assertEquals(ErrorCode.NUMERICAL_FAILURE, error.code());
  }

  @Test
  void infiniteRow() throws Exception {
    var error = failureBesideOthers(logits -> logits[5] = Float.POSITIVE_INFINITY);
    assertEquals(ErrorCode.NUMERICAL_FAILURE, error.code());
  }

  @Test
  void rowThatLeavesNothingToChoose() throws Exception {
    var error = failureBesideOthers(logits -> Arrays.fill(logits, Float.NEGATIVE_INFINITY));
    assertEquals(ErrorCode.NUMERICAL_FAILURE, error.code());
  }

  @Test
  void samplingThatThrows() throws Exception {
    var error =
        failureBesideOthers(
            LOOKED_AT,
            _ -> {
              throw new IllegalStateException("a fault of the sampler");
            });
    assertEquals(ErrorCode.INTERNAL, error.code());
    assertTrue(error.toString().contains("a fault of the sampler"), error.toString());
  }

  @Test
  void samplingThatRunsOutOfMemory() throws Exception {
    var error =
        failureBesideOthers(
            LOOKED_AT,
            _ -> {
              throw new OutOfMemoryError("so a test says");
            });
    assertEquals(ErrorCode.INTERNAL, error.code());
  }

  @Test
  void furtherAnswersGoOnWithoutTheFirst() throws Exception {
    var calls = new AtomicInteger();
    try (var host =
        new TestEngine(
            stepsAhead,
            AMPLE,
            new FirstComeFirstServed(),
            _ -> {},
            (_, logits) -> {
              // the device has looked before
              if (calls.getAndIncrement() <= stepsAhead) {
                logits[5] = Float.NaN;
              }
            })) {
      var streams = host.engine.submit(request(MARKED, 6), 3);
      assertInstanceOf(StreamEvent.Failed.class, read(streams.getFirst()).end());
      var second = read(streams.get(1)).tokens();
      assertEquals(6, second.size());
      assertEquals(second, read(streams.get(2)).tokens());
      assertEquals(second, read(host.engine.submit(request(MARKED, 6))).tokens());
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
    }
  }

  /** Runs the marked request in the middle of others; they must answer as they do alone. */
  private InferenceException failureBesideOthers(Fault fault) throws Exception {
    return failureBesideOthers(request(MARKED, 12), fault);
  }

  private InferenceException failureBesideOthers(GenerationRequest request, Fault fault)
      throws Exception {
    var prompts = new ArrayList<int[]>();
    var alone = new ArrayList<List<Integer>>();
    try (var host = new TestEngine(0, AMPLE, new FirstComeFirstServed())) {
      for (int i = 0; i < 8; i++) {
        prompts.add(new int[] {i + 1, 3 * i});
        alone.add(read(host.engine.submit(request(prompts.get(i), 12))).tokens());
      }
    }
    var submitted = new CountDownLatch(1);
    var step = new StepBatch[1];
    try (var host =
        new TestEngine(
            stepsAhead,
            AMPLE,
            new FirstComeFirstServed(),
            batch -> {
              step[0] = batch;
              await(submitted);
            },
            (pick, logits) -> {
              int row = step[0].pickedRow(pick);
              if (step[0].position(row) == MARKED.length - 1 && step[0].token(row) == MARK) {
                fault.run(logits);
              }
            })) {
      var streams = new ArrayList<TokenStream>();
      prompts.subList(0, 4).forEach(p -> streams.add(host.engine.submit(request(p, 12))));
      var marked = host.engine.submit(request);
      prompts.subList(4, 8).forEach(p -> streams.add(host.engine.submit(request(p, 12))));
      submitted.countDown();
      var end = assertInstanceOf(StreamEvent.Failed.class, read(marked).end());
      for (int i = 0; i < streams.size(); i++) {
        assertEquals(alone.get(i), read(streams.get(i)).tokens(), "prompt " + i);
      }
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
      return end.error();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
