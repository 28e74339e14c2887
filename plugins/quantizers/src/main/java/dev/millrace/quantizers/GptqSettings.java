package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.util.Set;

/**
 * What {@code quantization_config} says of one matrix of a GPTQ checkpoint.
 *
 * @param groupSize input columns that share a scale; −1: all
 * @param actOrder whether columns may be in any group
 * @param stored whether zeros are stored as they are ({@code gptq_v2}), else less 1
 */
record GptqSettings(int bits, int groupSize, boolean actOrder, boolean symmetric, boolean stored) {
  private static final String WHAT_HELPS =
      "; a checkpoint in format gptq or gptq_v2 is read (GPTQModel and AutoGPTQ save those by"
          + " default)";

  GptqSettings {
    if (!Set.of(2, 3, 4, 8).contains(bits)) {
      throw unsupported("GPTQ with bits of " + bits + "; known: 2, 3, 4, 8");
    }
    if (groupSize != -1 && groupSize < 1) {
      throw unsupported("GPTQ with a group_size of " + groupSize + "; known: -1 and from 1 on");
    }
  }

  /**
   * The settings of a matrix.
   *
   * @throws InferenceException {@code UNSUPPORTED_QUANTIZATION} if they are of a layout that is not
   *     read; {@code INVALID_CHECKPOINT} if they say that the matrix is not quantized
   */
  static GptqSettings of(String matrix, ModelConfig config) {
    String format = config.text("checkpoint_format", "gptq");
    if (config.flag("is_marlin_format", false)) {
      format = "marlin";
    }
    if (!format.equals("gptq") && !format.equals("gptq_v2")) {
      throw unsupported("GPTQ checkpoints in format " + format + " are not read" + WHAT_HELPS);
    }
    if (matrix.endsWith("lm_head") && !config.flag("lm_head", false)) {
      throw contradiction(matrix, "lm_head is not true");
    }
    var own = override(matrix, config.object("dynamic"));
    return new GptqSettings(
        own.has("bits") ? own.integer("bits") : config.integer("bits"),
        own.integer("group_size", config.integer("group_size", -1)),
        own.flag("desc_act", config.flag("desc_act", false)),
        own.flag("sym", config.flag("sym", false)),
        format.equals("gptq_v2"));
  }

  /**
   * The first pattern that fits the beginning of the name decides; {@code -:} excludes, {@code +:}
   * and nothing override.
   */
  private static ModelConfig override(String matrix, ModelConfig dynamic) {
    for (String key : dynamic.keys()) {
      boolean excludes = key.startsWith("-:");
      String pattern = excludes || key.startsWith("+:") ? key.substring(2) : key;
      if (Patterns.compiled(pattern).matcher(matrix).lookingAt()) {
        if (excludes) {
          throw contradiction(matrix, "dynamic excludes it by " + key);
        }
        return dynamic.object(key);
      }
    }
    return dynamic.object("");
  }

  private static InferenceException contradiction(String matrix, String why) {
    return new InferenceException(
        ErrorCode.INVALID_CHECKPOINT,
        "%s.qweight is there, but quantization_config says that the module is not quantized: %s"
            .formatted(matrix, why));
  }

  private static InferenceException unsupported(String what) {
    return new InferenceException(ErrorCode.UNSUPPORTED_QUANTIZATION, what);
  }
}
