package dev.millrace.testkit;

import dev.millrace.engine.Engine;
import dev.millrace.engine.EngineListener;
import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.NamedScheduler;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.sample.Sampler;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Scheduler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A real engine over the toy decoder. */
final class TestEngine implements AutoCloseable {
  private final ReferenceDevice device = new ReferenceDevice(1);
  private final Tokenizer tokenizer =
      Tokenizer.open(
          Path.of(
              System.getProperty("millrace.root", "../.."),
              "platform/testkit/src/test/noise-model"));
  private final DeviceModel model;
  final Engine engine;

  /** What came out of a stream: its events, taken apart. */
  record Answer(List<Integer> tokens, String text, StreamEvent end) {}

  /** What happens to a step before the device runs it. */
  interface BeforeStep {
    void run(StepBatch batch);
  }

  /** What happens to a row of logits before a token is chosen. */
  interface AfterLogits {
    void run(int pick, float[] logits);
  }

  TestEngine(int stepsAhead, EngineSettings settings, Scheduler scheduler) {
    this(stepsAhead, settings, scheduler, _ -> {});
  }

  TestEngine(int stepsAhead, EngineSettings settings, Scheduler scheduler, BeforeStep before) {
    this(stepsAhead, settings, scheduler, before, (_, _) -> {});
  }

  /** How the device chooses tokens itself. */
  interface Drawing {
    void draw(DeviceModel model, TokenDraws draws);

    default void await(TokenDraws draws) {}
  }

  /**
   * A device that runs steps ahead draws tokens, of logits that have passed through here as well.
   */
  TestEngine(
      int stepsAhead,
      EngineSettings settings,
      Scheduler scheduler,
      BeforeStep before,
      AfterLogits after) {
    this(
        stepsAhead,
        settings,
        scheduler,
        before,
        after,
        stepsAhead == 0 ? (_, _) -> {} : new LookedAt(after));
  }

  TestEngine(
      int stepsAhead,
      EngineSettings settings,
      Scheduler scheduler,
      BeforeStep before,
      AfterLogits after,
      Drawing drawing) {
    var loaded =
        device.load(
            new ToyDecoder(),
            ToyDecoder.spec(),
            new KvLayout(settings.blocks(), settings.blockSize(), KvDtype.FLOAT32));
    model = new Interposed(stepsAhead, loaded, before, after, drawing);
    engine =
        new Engine(
            new Engine.Parts(
                model, ToyDecoder.VOCABULARY, tokenizer, settings, EngineListener.NONE),
            new NamedScheduler("test", scheduler));
  }

  static EngineSettings settings(int sequences, int tokensPerStep, int blocks) {
    return new EngineSettings(64, sequences, tokensPerStep, 4, blocks, true, 1000, 100_000);
  }

  static GenerationRequest request(int[] prompt, int maxTokens) {
    return GenerationRequest.of(
        "test", prompt, maxTokens, SamplingParams.greedy(), StopConditions.at(Set.of()));
  }

  /** Waits for all that a stream has. */
  static Answer read(TokenStream stream) throws InterruptedException {
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
          return new Answer(tokens, text.toString(), end);
        }
        case StreamEvent.Failed end -> {
          return new Answer(tokens, text.toString(), end);
        }
      }
    }
  }

  /** Waits until the engine has nothing to do, and returns its free blocks. */
  int freeBlocksWhenIdle() throws InterruptedException {
    while (engine.stats().running() + engine.stats().waiting() > 0) {
      Thread.sleep(1);
    }
    return engine.stats().freeBlocks();
  }

  /** Draws all that is asked for. */
  record LookedAt(AfterLogits after) implements Drawing {
    @Override
    public void draw(DeviceModel model, TokenDraws draws) {
      var sampler = new Sampler(ToyDecoder.VOCABULARY);
      float[] logits = new float[ToyDecoder.VOCABULARY];
      for (int i = 0; i < draws.count(); i++) {
        model.logits(draws.pick(i), logits);
        after.run(draws.pick(i), logits);
        draws.drawn(i, drawn(sampler, logits, draws.draw(i)));
      }
    }

    private static int drawn(Sampler sampler, float[] logits, TokenDraws.Draw draw) {
      try {
        return sampler.draw(logits, draw.params(), draw.index());
      } catch (InferenceException _) {
        return TokenDraws.NO_TOKEN;
      }
    }
  }

  private record Interposed(
      int stepsAhead, DeviceModel inner, BeforeStep before, AfterLogits after, Drawing drawing)
      implements DeviceModel {
    @Override
    public void run(StepBatch batch) {
      before.run(batch);
      inner.run(batch);
    }

    @Override
    public void logits(int pick, float[] out) {
      inner.logits(pick, out);
      after.run(pick, out);
    }

    @Override
    public void draw(TokenDraws draws) {
      drawing.draw(inner, draws);
    }

    @Override
    public void await(TokenDraws draws) {
      drawing.await(draws);
    }

    @Override
    public void close() {
      inner.close();
    }
  }

  @Override
  public void close() {
    engine.close();
    model.close();
    device.close();
    tokenizer.close();
  }
}
