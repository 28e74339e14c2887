package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.util.List;
import java.util.Set;

/**
 * How a module of a compressed-tensors checkpoint is quantized.
 *
 * @param format {@code pack-quantized}, {@code int-quantized} or {@code float-quantized}
 * @param weights {@code weights} of the module's config group
 * @see <a href="https://github.com/vllm-project/compressed-tensors">compressed-tensors</a>
 */
record CompressedScheme(String format, ModelConfig weights) {
  private static final Set<String> FORMATS =
      Set.of("pack-quantized", "int-quantized", "float-quantized", "naive-quantized");

  /** What token tables are called, of which the last part of a name says the class. */
  private static final Set<String> TABLES = Set.of("embed_tokens", "wte", "word_embeddings");

  /**
   * The scheme of the first group whose targets have the module by name, else by its class.
   *
   * @param tensor quantized, and there
   * @throws InferenceException {@code UNSUPPORTED_QUANTIZATION} if its layout is not read; {@code
   *     INVALID_CHECKPOINT} if no group has it, or it is ignored
   */
  static CompressedScheme of(String matrix, String tensor, ModelConfig config) {
    checkSparsity(config);
    if (names(config.texts("ignore"), matrix)) {
      throw wrong(tensor + " is quantized, but ignore of quantization_config has " + matrix);
    }
    var groups = config.object("config_groups");
    var all = groups.keys().stream().map(groups::object).toList();
    return all.stream()
        .filter(group -> names(group.texts("targets"), matrix))
        .findFirst()
        .or(() ->
            all.stream()
                .filter(group -> group.texts("targets").contains(classOf(matrix)))
                .findFirst())
        .map(group -> of(group, config))
        .orElseThrow(
            () -> wrong(tensor + " is quantized, but no config group's targets have " + matrix));
  }

  private static String classOf(String matrix) {
    return TABLES.contains(matrix.substring(matrix.lastIndexOf('.') + 1)) ? "Embedding" : "Linear";
  }

  private static CompressedScheme of(ModelConfig group, ModelConfig config) {
    String format = group.text("format", config.text("format", ""));
    if (!FORMATS.contains(format)) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "compressed-tensors in format %s are not read; pack-quantized, int-quantized and"
                  .formatted(format.isEmpty() ? "(none)" : format)
              + " float-quantized are (llm-compressor saves those for schemes like W4A16, W8A8"
              + " and FP8)");
    }
    return new CompressedScheme(format, group.object("weights"));
  }

  private static void checkSparsity(ModelConfig config) {
    String sparse = config.object("sparsity_config").text("format", "dense");
    if (!sparse.equals("dense")) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "sparse compressed-tensors (" + sparse + ") are not read; save the model dense");
    }
  }

  /** Whether one of these is the module's name, or a pattern of its beginning. */
  private static boolean names(List<String> targets, String matrix) {
    return targets.stream()
        .anyMatch(target ->
            target.startsWith("re:")
                ? Patterns.compiled(target.substring(3)).matcher(matrix).lookingAt()
                : target.equals(matrix));
  }

  int bits() {
    int bits = weights.integer("num_bits", 8);
    if (bits < 2 || bits > 8) {
      throw unsupported("num_bits of " + bits + "; known: 2 to 8");
    }
    return bits;
  }

  boolean symmetric() {
    return weights.flag("symmetric", true);
  }

  /** Which weights of a matrix share a scale: sides of a block, 0 for all. */
  int[] block() {
    String strategy = weights.text("strategy", weights.has("group_size") ? "group" : "tensor");
    return switch (strategy) {
      case "tensor" -> new int[] {0, 0};
      case "channel" -> new int[] {1, 0};
      case "group" -> {
        int size = weights.integer("group_size", -1);
        if (size != -1 && size < 1) {
          throw unsupported("a group_size of " + size + "; known: -1 and from 1 on");
        }
        yield new int[] {1, Math.max(size, 0)};
      }
      case "block" -> {
        var sides = weights.reals("block_structure");
        if (sides.size() != 2 || sides.stream().anyMatch(side -> side < 1 || side % 1 != 0)) {
          throw unsupported("a block_structure of " + sides + "; two whole numbers are needed");
        }
        yield new int[] {sides.get(0).intValue(), sides.get(1).intValue()};
      }
      default ->
          throw unsupported("strategy " + strategy + "; known: tensor, channel, group, block");
    };
  }

  private static InferenceException unsupported(String what) {
    return new InferenceException(
        ErrorCode.UNSUPPORTED_QUANTIZATION, "compressed-tensors with " + what);
  }

  private static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, what);
  }
}
