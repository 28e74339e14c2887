package dev.millrace.cuda;

import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.DummyCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.models.LlamaPlugin;
import dev.millrace.testkit.PlainMatrices;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.function.Consumer;

/** A model with random weights on the card, ready for steps. */
final class BenchModel implements Owned.Closing {
  static final int BLOCK_SIZE = 16;

  /** As much as a server takes. */
  private static final int LOGITS_BYTES = 256 << 20;

  private final Owned owned = new Owned();
  private final DeviceModel loaded;

  /**
   * Makes the weights and loads them.
   *
   * @param blocks of the cache
   * @param rows of the largest step
   */
  BenchModel(BenchShape shape, int blocks, int rows, Consumer<String> say) throws IOException {
    var folder = Files.createTempDirectory("gpu-suite");
    Files.writeString(folder.resolve("config.json"), shape.config().toString());
    var config = JsonModelConfig.open(folder);
    Files.delete(folder.resolve("config.json"));
    Files.delete(folder);
    var plugin = new LlamaPlugin();
    var spec = plugin.describe(config);
    try {
      long start = System.nanoTime();
      var source = new DummyCheckpoint(config, 1);
      owned.onClose(source::close);
      var device = SimulatedDriver.device(false, LOGITS_BYTES);
      owned.onClose(device::close);
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var model = plugin.load(spec, config, weights);
      long made = System.nanoTime();
      loaded = device.load(model, spec, new KvLayout(blocks, BLOCK_SIZE, KvDtype.BFLOAT16));
      owned.onClose(loaded::close);
      long there = System.nanoTime();
      loaded.reserve(rows);
      say.accept(
          "random weights in %.1f s, on the card in %.1f s, products chosen in %.1f s"
              .formatted((made - start) / 1e9, (there - made) / 1e9, since(there)));
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

  @Override
  public void close() {
    owned.close();
  }
}
