package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import java.util.function.IntUnaryOperator;

/** Sliding windows as configurations give them. */
final class Windows {
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
    var types = config.texts("layer_types");
    int layers = config.integer("num_hidden_layers");
    if (!types.isEmpty() && types.size() != layers) {
      throw Shape.unsupported(
          "layer_types has " + types.size() + " entries for " + layers + " layers");
    }
    int first = config.integer("max_window_layers", 28);
    return layer ->
        (types.isEmpty() ? layer >= first : types.get(layer).equals("sliding_attention"))
            ? window
            : 0;
  }
}
