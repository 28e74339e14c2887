package dev.millrace.engine.quantize;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.cpu.CpuDevices;
import dev.millrace.engine.device.cpu.ObservedPass;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.StoredModel;
import dev.millrace.engine.load.WeightSource;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.plugin.PluginUser;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.ModelSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.HashSet;
import java.util.List;

/**
 * Makes a quantized checkpoint of a model directory: {@code config.json} with what it says of
 * itself, one safetensors file, and everything else as it was.
 */
public final class ModelQuantizer {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final QuantizeSettings settings;
  private final StoredModel model;
  private final QuantizeListener listener;
  private int done;

  private ModelQuantizer(QuantizeSettings settings, StoredModel model, QuantizeListener listener) {
    this.settings = settings;
    this.model = model;
    this.listener = listener;
  }

  /**
   * What was made.
   *
   * @param matrices that were quantized
   * @param before bytes of the weights of the source
   * @param after bytes of the new ones
   * @param rounded experts that saw too few tokens of the text to be calibrated
   */
  public record Result(int matrices, long before, long after, List<String> rounded) {}

  /**
   * Quantizes a model. Nothing is written at the target's name unless all of it is there.
   *
   * @throws InferenceException saying what is wrong with settings, model or text
   */
  public static Result run(
      QuantizeSettings settings, PluginCatalog plugins, QuantizeListener listener) {
    if (!Files.isDirectory(settings.source())) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          settings.source() + " is no directory; a model with config.json and safetensors is one");
    }
    var model = StoredModel.open(settings.source());
    try (var user = plugins.user("quantizing " + settings.source());
        var source = HuggingFaceCheckpoint.open(settings.source());
        var target = new TargetDirectory(settings.target())) {
      String method = source.quantization().text("quant_method", "");
      if (!method.isEmpty()) {
        throw new InferenceException(
            ErrorCode.UNSUPPORTED_QUANTIZATION,
            "%s is quantized already, as %s; take the model it was made of"
                .formatted(settings.source(), method));
      }
      return new ModelQuantizer(settings, model, listener).run(user, source, target);
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, settings.target() + " cannot be written: " + e, e);
    } catch (OutOfMemoryError e) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "the Java heap does not hold a layer of "
              + settings.source()
              + "; MILLRACE_JAVA_OPTS=-Xmx8g would give it 8 GB, fewer --samples need less",
          e);
    }
  }

  private Result run(PluginUser user, WeightSource stored, TargetDirectory target)
      throws IOException {
    var config = model.config();
    var family = user.model(config.families());
    var spec = family.describe(config);
    var plain = user.quantizer("none");
    var source = renamed(family, spec, plain, stored);
    var named = new NamedMatrices(plain);
    var loaded = family.load(spec, config, weights(source, named));
    var body = Program.hidden(loaded, spec);
    var plan = QuantizePlan.of(settings, body, Program.head(loaded, spec), named, source);
    var rounded = List.<String>of();
    var sequences = sequences(spec);
    long after;
    try (var file = new TensorFile(target.file("model.safetensors"), plan.tensors())) {
      copy(source, plan, file);
      if (settings.calibrates()) {
        var norms = new NormDivision(source);
        rounded = calibrate(body, spec, sequences, plan, norms, file);
        norms.write(file);
      } else {
        round(plan, file);
      }
      source.files().checkUnchanged();
      file.force();
      after = plan.tensors().stream().mapToLong(PlannedTensor::bytes).sum();
    }
    writeConfig(plan, target);
    target.copyFrom(settings.source());
    target.finish();
    return new Result(plan.all().size(), model.bytes(), after, rounded);
  }

  /** The checkpoint, with the names that the new one is to have. */
  private WeightSource renamed(
      ModelPlugin family, ModelSpec spec, QuantizationPlugin plain, WeightSource stored) {
    var names = family.expertNames();
    if (names.isEmpty() || !ExpertsApart.fits(stored)) {
      return stored;
    }
    // what is wrong with it shall be said with its own names
    var _ = family.load(spec, model.config(), weights(stored, plain));
    return new ExpertsApart(stored, names.get());
  }

  private static CheckpointWeights weights(WeightSource source, QuantizationPlugin plain) {
    return new CheckpointWeights(source, List.of(plain), DtypeChoice.AUTO);
  }

  private List<int[]> sequences(ModelSpec spec) {
    var text = settings.text();
    if (text == null) {
      return List.of();
    }
    try (var tokenizer = model.tokenizer()) {
      int length = Math.min(settings.sampleTokens(), spec.maxContext());
      return CalibrationText.sequences(text, tokenizer, settings.samples(), length);
    }
  }

  private void round(QuantizePlan plan, TensorFile file) {
    var writer = ModuleWriter.of(settings);
    var format = settings.format();
    for (var weight : plan.all()) {
      if (format == QuantizedFormat.FP8) {
        writer.writeFp8(weight, plan.stored(), file);
      } else {
        int group = writer.group(weight.cols());
        var codes =
            NearestRounding.round(
                weight.values(), group, format.bits(), format.symmetric(), plan.stored());
        writer.write(weight.module(), codes, plan.stored(), file);
      }
      count(weight, plan);
    }
  }

  /** Gives the experts that were only rounded. */
  private List<String> calibrate(
      Program body,
      ModelSpec spec,
      List<int[]> sequences,
      QuantizePlan plan,
      NormDivision norms,
      TensorFile file) {
    var writer = ModuleWriter.of(settings);
    var written = new HashSet<String>();
    var rounding =
        new CalibratedRounding(
            settings,
            plan,
            body,
            norms,
            (weight, codes) -> {
              writer.write(weight.module(), codes, plan.stored(), file);
              if (written.add(weight.module())) {
                count(weight, plan);
              }
            });
    try (var device = CpuDevices.exact(settings.threads())) {
      ObservedPass.run(device, body, spec, sequences, rounding);
    }
    return List.copyOf(rounding.rounded());
  }

  private void count(Weight weight, QuantizePlan plan) {
    listener.quantized(++done, plan.all().size(), weight.module());
  }

  /** Copies what is not quantized. */
  private static void copy(WeightSource source, QuantizePlan plan, TensorFile file) {
    plan.copied(source)
        .forEach((name, origin) -> {
          var from = source.tensor(origin).bytes();
          MemorySegment.copy(from, 0, file.tensor(name), 0, from.byteSize());
        });
  }

  private void writeConfig(QuantizePlan plan, TargetDirectory target) throws IOException {
    var file = settings.source().resolve("config.json").toFile();
    var config = (ObjectNode) JSON.readTree(file);
    config.set("quantization_config", ModuleWriter.of(settings).config(plan));
    if (plan.untied().isPresent()) {
      config.put("tie_word_embeddings", false);
    }
    var text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(config);
    Files.writeString(target.file("config.json"), text + "\n");
  }
}
