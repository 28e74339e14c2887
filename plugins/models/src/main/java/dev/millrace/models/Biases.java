package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.Weights;

/**
 * Biases that a configuration promises. A linear takes a bias where it finds one and does without
 * where it does not, so a file that lost one would be served wrong and in silence.
 */
final class Biases {
  private Biases() {}

  /** Those of {@code attention_bias} and {@code mlp_bias}. */
  static void require(ModelConfig config, Shape shape, Weights weights) {
    if (config.flag("attention_bias", false)) {
      requireQkv(shape, weights);
      each(shape, weights, "self_attn.o_proj", shape.hidden());
    }
    if (config.flag("mlp_bias", false)) {
      each(shape, weights, "mlp.gate_proj", shape.inner());
      each(shape, weights, "mlp.up_proj", shape.inner());
      each(shape, weights, "mlp.down_proj", shape.hidden());
    }
  }

  /** Those of queries, keys and values. */
  static void requireQkv(Shape shape, Weights weights) {
    each(shape, weights, "self_attn.q_proj", shape.queryWidth());
    each(shape, weights, "self_attn.k_proj", shape.keyWidth());
    each(shape, weights, "self_attn.v_proj", shape.keyWidth());
  }

  private static void each(Shape shape, Weights weights, String module, int length) {
    for (int i = 0; i < shape.layers(); i++) {
      var layer = weights.at("model.layers." + i);
      if (!layer.has(module + ".bias")) {
        var _ = layer.vector(module + ".bias", length); // fails, and names it
      }
    }
  }
}
