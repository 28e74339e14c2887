package dev.millrace.cuda;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.ModelContract;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every model family on the simulated driver: logits and greedy tokens of transformers in F32, and
 * the contract of models.
 */
@Tag("emulated") // half a minute of processor time
class CudaModelsTest {
  static final Path NUMERICS =
      Path.of(
          System.getProperty("millrace.root", "../.."),
          "plugins/models/src/test/resources/numerics");
  private static final float TOLERANCE = 2e-5f;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "llama, F32",
    "llama3, BF16",
    "llama_linear, F32",
    "llama_yarn, F16",
    "mistral_swa, BF16",
    "qwen2, F32",
    "qwen3, BF16",
    "olmo2, F32",
    "phi3, BF16",
    "phi3_longrope, F32",
    "starcoder2, BF16",
    "gemma, F16",
    "gemma2, BF16",
    "gemma3_text, F32",
    "mixtral, BF16",
    "qwen3_moe, F32"
  })
  void logitsAndGreedyTokensAreThoseOfTransformers(String name, DType dtype) throws IOException {
    var golden = GoldenModel.read(NUMERICS, name);
    golden.write(folder, golden.config(), dtype);
    var config = JsonModelConfig.open(folder);
    var plugin = plugin(config.modelType());
    var spec = plugin.describe(config);
    try (var device = SimulatedDriver.device();
        var source = HuggingFaceCheckpoint.open(folder)) {
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var model = plugin.load(spec, config, weights);
      try (var loaded = device.load(model, spec, new KvLayout(16, 16, KvDtype.FLOAT32))) {
        golden.checkWhole(new StepDriver(loaded, 16, 16, spec.vocabulary()), TOLERANCE);
      }
    }
    SimulatedDriver.requireEmpty();
  }

  static ModelPlugin plugin(String modelType) {
    return ServiceLoader.load(ModelPlugin.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(plugin -> plugin.architectures().contains(modelType))
        .findFirst()
        .orElseThrow();
  }

  abstract static class OnCuda extends ModelContract {
    private final String name;

    OnCuda(String name) {
      this.name = name;
    }

    @Override
    protected ModelPlugin plugin() {
      try {
        return CudaModelsTest.plugin(checkpoint().config().get("model_type").textValue());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    protected GoldenModel checkpoint() throws IOException {
      return GoldenModel.read(NUMERICS, name);
    }

    @Override
    protected Device device(int threads) {
      return SimulatedDriver.device();
    }

    @AfterEach
    void everythingWasGivenBack() {
      SimulatedDriver.requireEmpty();
    }
  }

  @Nested
  class Llama extends OnCuda {
    Llama() {
      super("llama3");
    }
  }

  @Nested
  class Mixtral extends OnCuda {
    Mixtral() {
      super("mixtral");
    }
  }
}
