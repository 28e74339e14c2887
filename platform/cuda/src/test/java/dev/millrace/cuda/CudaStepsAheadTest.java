package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.Engine;
import dev.millrace.engine.EngineListener;
import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.Logprobs;
import dev.millrace.engine.NamedScheduler;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.PlainMatrices;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An engine over a card, whose steps are launched before those ahead of them are over. */
@Tag("emulated")
@Timeout(300)
class CudaStepsAheadTest {
  private static final int BLOCKS = 16;
  private static final EngineSettings TIGHT =
      new EngineSettings(64, 5, 24, 4, BLOCKS, true, 1000, 100_000);

  @TempDir private Path folder;

  /** What a client sees of an answer. */
  private record Answer(List<Integer> tokens, String text, String end) {}

  /** The same model, each of whose steps is waited for. */
  private record InTurn(DeviceModel model) implements DeviceModel {
    @Override
    public void attach() {
      model.attach();
    }

    @Override
    public void run(StepBatch batch) {
      model.run(batch);
    }

    @Override
    public void draw(TokenDraws draws) {
      model.draw(draws);
    }

    @Override
    public void await(TokenDraws draws) {
      model.await(draws);
    }

    @Override
    public void logits(int pick, float[] out) {
      model.logits(pick, out);
    }

    @Override
    public void close() {}
  }

  /** What is done with an engine. */
  private interface Use {
    void with(Engine engine) throws Exception;
  }

  /** Runs an engine with a golden model that has room for so many bytes of logits at a time. */
  private void run(int logitsBytes, boolean inTurn, Use use) throws Exception {
    var golden = GoldenModel.read(CudaModelsTest.NUMERICS, "llama3");
    golden.write(folder, golden.config(), DType.BF16);
    var config = JsonModelConfig.open(folder);
    var plugin = CudaModelsTest.plugin(config.modelType());
    var spec = plugin.describe(config);
    try (var device = SimulatedDriver.device(true, logitsBytes);
        var source = HuggingFaceCheckpoint.open(folder);
        var tokenizer = WordTokenizer.of(spec.vocabulary())) {
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var layout = new KvLayout(BLOCKS, TIGHT.blockSize(), KvDtype.FLOAT32);
      try (var loaded = device.load(plugin.load(spec, config, weights), spec, layout)) {
        assertEquals(1, loaded.stepsAhead());
        var model = inTurn ? new InTurn(loaded) : loaded;
        var parts =
            new Engine.Parts(model, spec.vocabulary(), tokenizer, TIGHT, EngineListener.NONE);
        try (var engine =
            new Engine(parts, new NamedScheduler("test", new FirstComeFirstServed()))) {
          use.with(engine);
        }
      }
    }
  }

  @AfterEach
  void everythingWasGivenBack() {
    SimulatedDriver.requireEmpty();
  }

  /**
   * With little room for logits, the head runs several times a step, and room is made on the way.
   */
  @ParameterizedTest
  @ValueSource(ints = {1 << 10, 64 << 10})
  void answersAreThoseOfStepsInTurn(int logitsBytes) throws Exception {
    var inTurn = new ArrayList<Answer>();
    run(logitsBytes, true, engine -> inTurn.addAll(answers(engine)));
    run(
        logitsBytes,
        false,
        engine -> {
          assertEquals(inTurn, answers(engine));
          assertTrue(engine.stats().preemptions() > 0, "the pool is meant to be tight");
        });
  }

  private static List<Answer> answers(Engine engine) throws InterruptedException {
    var random = new SplittableRandom(3);
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < 10; i++) {
      streams.addAll(engine.submit(request(random, i), i % 5 == 4 ? 2 : 1));
    }
    var answers = new ArrayList<Answer>();
    for (var stream : streams) {
      answers.add(read(stream));
    }
    return answers;
  }

  private static GenerationRequest request(SplittableRandom random, int i) {
    int[] prompt = random.ints(6 + random.nextInt(8), 0, 60).toArray();
    var params = new SamplingParams(i % 2, 0, 0.95, 0, 1, 0, 0, Map.of(), i);
    var stop = StopConditions.at(i % 3 == 0 ? Set.of(7, 11, 13, 17, 19, 23, 29, 31) : Set.of());
    var request = GenerationRequest.of("any", prompt, 4 + random.nextInt(8), params, stop);
    return i == 8 ? request.with(Logprobs.ofAnswer(1)) : request;
  }

  private static Answer read(TokenStream stream) throws InterruptedException {
    var tokens = new ArrayList<Integer>();
    var text = new StringBuilder();
    while (true) {
      switch (stream.next()) {
        case StreamEvent.Prompt _ -> {}
        case StreamEvent.Tokens more -> {
          more.tokens().forEach(token -> tokens.add(token.id()));
          text.append(more.text());
        }
        case StreamEvent.Finished end -> {
          return new Answer(tokens, text.toString(), end.reason().toString());
        }
        case StreamEvent.Failed end -> {
          return new Answer(tokens, text.toString(), end.error().code().toString());
        }
      }
    }
  }

  @Test
  void aContextThatBreaksEndsAllRequests() throws Exception {
    run(
        64 << 10,
        false,
        engine -> {
          var streams = new ArrayList<TokenStream>();
          for (int i = 0; i < 4; i++) {
            streams.add(engine.submit(longRequest(i)));
          }
          var _ = streams.getFirst().next();
          SimulatedDriver.set("fail-launch=60");
          for (var stream : streams) {
            assertEquals(ErrorCode.DEVICE_LOST.toString(), read(stream).end());
          }
          assertEquals(ErrorCode.DEVICE_LOST, engine.lost().toCompletableFuture().get().code());
        });
  }

  @Test
  void memoryThatRunsOutEndsAStepAndNotTheOneAhead() throws Exception {
    run(
        64 << 10,
        false,
        engine -> {
          var first = engine.submit(longRequest(1));
          assertInstanceOf(StreamEvent.Tokens.class, first.next());
          SimulatedDriver.set("fail-allocation=1");
          var second = engine.submit(longRequest(2)); // a larger step
          assertEquals(ErrorCode.OUT_OF_MEMORY.toString(), read(first).end());
          assertEquals(ErrorCode.OUT_OF_MEMORY.toString(), read(second).end());
          SimulatedDriver.set("fail-allocation=0");
          assertEquals("LENGTH", read(engine.submit(longRequest(3))).end());
        });
  }

  private static GenerationRequest longRequest(int seed) {
    return GenerationRequest.of(
        "long", new int[] {seed, 2, 3}, 40, SamplingParams.greedy(), StopConditions.at(Set.of()));
  }
}
