package dev.millrace.engine.load;

import dev.millrace.engine.plugin.PluginUser;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts a model together from its files and the plugins that know its family and its format. */
public final class ModelLoader {
  private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);

  private ModelLoader() {}

  /**
   * Loads a model.
   *
   * @param arrangement takes each matrix over, and gives it as it is kept: {@link
   *     dev.millrace.engine.device.Device#arranged} of the device that will run the model
   * @throws InferenceException naming the file, tensor or setting that is wrong; nothing stays open
   */
  public static LoadedModel load(
      StoredModel stored,
      ModelSettings settings,
      PluginUser plugins,
      UnaryOperator<QuantizedMatrix> arrangement) {
    var config = stored.config();
    var family = plugins.model(config.families());
    var generation = stored.generation();
    var chatTemplate = stored.chatTemplate();
    var spec = guarded(family, () -> family.describe(config));
    var tokenizer = new TokenizerOpening(stored);
    WeightSource source = null;
    try {
      source = open(stored, settings, config);
      var choice =
          QuantizerChoice.of(
              settings, source.quantization(), plugins.quantizers(), plugins::quantizer);
      var target = new WeightHandles(arrangement);
      var weights = new CheckpointWeights(source, choice, settings.dtype(), target);
      var model = guarded(family, () -> family.load(spec, config, weights));
      choice.checkUsed(weights);
      LOG.info("weights of {}: {}", settings.name(), weights.formats());
      if (!weights.unused().isEmpty()) {
        LOG.warn("tensors that the model does not use: {}", weights.unused());
      }
      source.files().checkUnchanged();
      return new LoadedModel(
          spec, model, tokenizer.get(), chatTemplate, generation, weights.formats(), source);
    } catch (RuntimeException | Error e) {
      if (source != null) {
        source.close();
      }
      tokenizer.close(); // whose own fault would be told first
      if (e instanceof InternalError) { // what the JVM makes of a page that cannot be read
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT, "a page of the model's files cannot be read: " + e, e);
      }
      throw e;
    }
  }

  /**
   * Fails if no plugin serves a model of this configuration. No weights are read.
   *
   * @throws InferenceException naming the architecture or setting that is not served
   */
  public static void check(StoredModel stored, PluginUser plugins) {
    var config = stored.config();
    var family = plugins.model(config.families());
    guarded(family, () -> family.describe(config));
  }

  /** Anything but a typed error is the plugin's own fault, and said to be. */
  private static <T> T guarded(ModelPlugin plugin, Supplier<T> call) {
    try {
      return call.get();
    } catch (InferenceException e) {
      throw e;
    } catch (RuntimeException | LinkageError e) {
      throw new InferenceException(
          ErrorCode.INVALID_PLUGIN,
          "model plugin " + plugin.getClass().getName() + " failed: " + e,
          e);
    }
  }

  private static WeightSource open(
      StoredModel stored, ModelSettings settings, JsonModelConfig config) {
    return switch (settings.format()) {
      case AUTO -> stored.weights();
      case DUMMY -> {
        String method = HuggingFaceCheckpoint.quantization(config).text("quant_method", "");
        if (!method.isEmpty() && settings.quantization().isEmpty()) {
          LOG.warn(
              "dummy weights of {} are BF16, not {} as its configuration says;"
                  + " --quantization int8, int4 or fp8 makes fewer bits of them",
              settings.name(),
              method);
        }
        yield new DummyCheckpoint(config, settings.seed());
      }
    };
  }
}
