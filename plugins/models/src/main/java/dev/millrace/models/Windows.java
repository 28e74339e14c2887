package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Sliding windows as configurations give them. */
final class Windows {
  private static final String SLIDING = "sliding_attention";
  private static final String FULL = "full_attention";

  private Windows() {}

  /** {@code sliding_window}, in positions; 0: none. */
  static int size(ModelConfig config) {
    int window = config.integer("sliding_window", 0);
    if (window < 0) {
      throw Shape.unsupported("sliding_window is " + window + ", it must be positive or null");
    }
    return window;
  }

  /**
   * Qwen's way: only with {@code use_sliding_window}, on the layers that {@code layer_types} calls
   * sliding, or else on those from {@code max_window_layers} on.
   */
  static IntUnaryOperator ofQwen(ModelConfig config) {
    if (!config.flag("use_sliding_window", false)) {
      return _ -> 0;
    }
    int window = size(config);
    int first = config.integer("max_window_layers", 28);
    var types = types(config);
    return layer ->
        (types.isEmpty() ? layer >= first : types.get(layer).equals(SLIDING)) ? window : 0;
  }

  /**
   * Gemma's way: on the layers that {@code layer_types} calls sliding, or else on all but each last
   * of {@code every}.
   */
  static IntUnaryOperator inTurn(ModelConfig config, int every) {
    if (every < 1) {
      throw Shape.unsupported("sliding_window_pattern is " + every + ", it must be at least 1");
    }
    var types = types(config);
    int window = size(config);
    IntUnaryOperator windows =
        layer ->
            (types.isEmpty() ? (layer + 1) % every != 0 : types.get(layer).equals(SLIDING))
                ? window
                : 0;
    boolean needed = types.isEmpty() ? every > 1 : types.contains(SLIDING);
    if (needed && window == 0) {
      throw Shape.unsupported("sliding_window is missing; layers that slide need one");
    }
    return windows;
  }

  private static List<String> types(ModelConfig config) {
    var types = config.texts("layer_types");
    int layers = config.integer("num_hidden_layers");
    if (!types.isEmpty() && types.size() != layers) {
      throw Shape.unsupported(
          "layer_types has " + types.size() + " entries for " + layers + " layers");
    }
    for (String type : types) {
      if (!type.equals(SLIDING) && !type.equals(FULL)) {
        throw Shape.unsupported("layer_types has " + type + "; known: " + SLIDING + ", " + FULL);
      }
    }
    return types;
  }
}
