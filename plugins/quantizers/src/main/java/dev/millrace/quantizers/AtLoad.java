package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.util.List;
import java.util.TreeSet;

/**
 * What is quantized at load, and in which groups: what the user gave, in the place where a
 * quantized checkpoint has its {@code quantization_config}.
 *
 * @param group columns that share a scale; 0: all of a row
 * @param ignore modules that are read as they are: by name, by the end of it, or, after {@code
 *     re:}, by a pattern of its beginning
 */
record AtLoad(int group, List<String> ignore) {
  /**
   * Token tables and heads, where the error shows most, and the routers of experts, where a small
   * one chooses other experts.
   */
  private static final List<String> KEPT = List.of("embed_tokens", "wte", "lm_head", "gate");

  private static final String GROUP = "group_size";
  private static final String IGNORE = "ignore";

  AtLoad {
    ignore = List.copyOf(ignore);
  }

  /**
   * The settings of a format.
   *
   * @param groups that it can have; −1: all of a row. The first is taken where none is given
   * @throws InferenceException {@code INVALID_CONFIGURATION} naming what it does not have
   */
  static AtLoad of(String format, ModelConfig config, List<Integer> groups) {
    var unknown = new TreeSet<>(config.keys());
    unknown.removeAll(List.of(GROUP, IGNORE));
    if (!unknown.isEmpty()) {
      throw wrong(
          "quantization-config of %s has %s; known: group_size, ignore".formatted(format, unknown));
    }
    int group = config.integer(GROUP, groups.getFirst());
    if (!groups.contains(group)) {
      throw wrong("%s with a group_size of %s; known: %s".formatted(format, group, groups));
    }
    return new AtLoad(Math.max(group, 0), config.has(IGNORE) ? config.texts(IGNORE) : KEPT);
  }

  private static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CONFIGURATION, what);
  }

  /** Whether a module is quantized. */
  boolean takes(String matrix) {
    return ignore.stream()
        .noneMatch(entry ->
            entry.startsWith("re:")
                ? Patterns.compiled(entry.substring(3)).matcher(matrix).lookingAt()
                : matrix.equals(entry) || matrix.endsWith("." + entry));
  }
}
