package dev.millrace.engine.load;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.ModelConfig;
import java.util.List;
import java.util.function.Function;

/**
 * Which plugins read a checkpoint's matrices.
 *
 * @param readers in order of preference
 * @param asked whether the first quantizes a checkpoint that is not stored quantized
 * @param config what the plugins see as the checkpoint's {@code quantization_config}
 */
record QuantizerChoice(List<QuantizationPlugin> readers, boolean asked, ModelConfig config) {
  /** The plugin that reads checkpoints as they are. */
  private static final String UNQUANTIZED = "none";

  private static final String AT_LOAD =
      "int8, int4 and fp8 are made at load of weights in F32, BF16 or F16";

  QuantizerChoice {
    readers = List.copyOf(readers);
  }

  /**
   * The plugin that the checkpoint names, or, where it names none, the one that was asked for; and
   * for what that one does not take, the one that reads matrices as they are.
   *
   * @param stored {@code quantization_config} of the checkpoint
   * @param known names of plugins
   * @param find gives the plugin of a name, or fails
   * @throws InferenceException {@code UNSUPPORTED_QUANTIZATION} if the two contradict each other or
   *     no plugin has the name, {@code INVALID_CONFIGURATION} if settings were given for nothing
   */
  static QuantizerChoice of(
      ModelSettings settings,
      ModelConfig stored,
      List<String> known,
      Function<String, QuantizationPlugin> find) {
    String method = stored.text("quant_method", "");
    String asked = settings.quantization();
    if (!method.isEmpty() && !asked.isEmpty() && !asked.equals(method)) {
      throw unsupported(
          "quantization %s was asked for, the checkpoint is stored as %s; %s"
              .formatted(asked, method, AT_LOAD));
    }
    if (!method.isEmpty() && !known.contains(method)) {
      throw unsupported(
          "the checkpoint is stored as %s, which no quantization plugin reads; take one that is"
                  .formatted(method)
              + " stored as one of %s, or not quantized (--quantization int8 makes 8 bits of it)"
                  .formatted(known));
    }
    boolean making = method.isEmpty() && !asked.isEmpty() && !asked.equals(UNQUANTIZED);
    if (!making && !settings.quantizationConfig().isEmpty()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "quantization-config is given, but nothing is quantized at load: "
              + (method.isEmpty() ? "--quantization names no format" : "stored as " + method)
              + "; "
              + AT_LOAD);
    }
    var plain = find.apply(UNQUANTIZED);
    String chosen = method.isEmpty() ? asked : method;
    return new QuantizerChoice(
        chosen.isEmpty() || chosen.equals(UNQUANTIZED)
            ? List.of(plain)
            : List.of(find.apply(chosen), plain),
        making,
        making ? JsonModelConfig.given(settings.quantizationConfig()) : stored);
  }

  /**
   * Fails if a format was asked for and nothing was read in it: its plugin only reads what is
   * stored so.
   */
  void checkUsed(CheckpointWeights weights) {
    var first = readers.getFirst();
    if (asked && !weights.readBy(first)) {
      throw unsupported(
          "quantization %s was asked for, but the checkpoint has no matrix that it takes; %s"
              .formatted(first.name(), AT_LOAD));
    }
  }

  private static InferenceException unsupported(String what) {
    return new InferenceException(ErrorCode.UNSUPPORTED_QUANTIZATION, what);
  }
}
