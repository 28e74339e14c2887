package dev.millrace.cuda;

import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.DummyCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.QuantizationPlugin;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.function.Consumer;

/** A model with random weights on the card, ready for steps. */
final class BenchModel implements Owned.Closing {
  static final int BLOCK_SIZE = 16;

  /** As much as a server takes. */
  private static final int LOGITS_BYTES = 256 << 20;

  /** Whether a row's bits are to depend on nothing but the row. */
  private static final boolean INVARIANT = Boolean.getBoolean("millrace.batch-invariant");

  private final Owned owned = new Owned();
  private final DeviceModel loaded;

  /** Random weights, made when a model first asks for them. */
  record Weights(JsonModelConfig config, DummyCheckpoint source) implements AutoCloseable {
    static Weights of(BenchShape shape) throws IOException {
      var folder = Files.createTempDirectory("gpu-suite");
      Files.writeString(folder.resolve("config.json"), shape.config().toString());
      var config = JsonModelConfig.open(folder);
      Files.delete(folder.resolve("config.json"));
      Files.delete(folder);
      return new Weights(config, new DummyCheckpoint(config, 1));
    }

    @Override
    public void close() {
      source.close();
    }
  }

  /**
   * Makes what is missing of the weights, and loads them.
   *
   * @param quantizer that reads them
   * @param blocks of the cache
   * @param rows of the largest step
   */
  BenchModel(
      Weights weights, QuantizationPlugin quantizer, int blocks, int rows, Consumer<String> say) {
    var plugin = CudaModelsTest.plugin(weights.config.modelType());
    var spec = plugin.describe(weights.config);
    try {
      long start = System.nanoTime();
      var device = SimulatedDriver.device(INVARIANT, LOGITS_BYTES);
      owned.onClose(device::close);
      var read = new CheckpointWeights(weights.source, List.of(quantizer), DtypeChoice.AUTO);
      var model = plugin.load(spec, weights.config, read);
      long made = System.nanoTime();
      loaded = device.load(model, spec, new KvLayout(blocks, BLOCK_SIZE, KvDtype.BFLOAT16));
      owned.onClose(loaded::close);
      long there = System.nanoTime();
      loaded.reserve(rows);
      say.accept(
          "%s weights in %.1f s, on the card in %.1f s, products chosen in %.1f s"
              .formatted(
                  quantizer.name(), (made - start) / 1e9, (there - made) / 1e9, since(there)));
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  DeviceModel loaded() {
    return loaded;
  }

  /** Has the steps from the next one on be marked. */
  void mark(StepMarks marks) {
    ((CudaModel) loaded).mark(marks);
  }

  @Override
  public void close() {
    owned.close();
  }
}
