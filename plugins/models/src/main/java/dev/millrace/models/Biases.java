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
    requireAttention(config, shape, weights);
    if (config.flag("mlp_bias", false)) {
      requireEach(shape, weights, "mlp.gate_proj", shape.inner());
      requireEach(shape, weights, "mlp.up_proj", shape.inner());
      requireEach(shape, weights, "mlp.down_proj", shape.hidden());
    }
  }

  /** Those of {@code attention_bias}. */
  static void requireAttention(ModelConfig config, Shape shape, Weights weights) {
    if (config.flag("attention_bias", false)) {
      requireQkv(shape, weights);
      requireEach(shape, weights, "self_attn.o_proj", shape.hidden());
    }
  }

  /** Those of queries, keys and values. */
  static void requireQkv(Shape shape, Weights weights) {
    requireEach(shape, weights, "self_attn.q_proj", shape.queryWidth());
    requireEach(shape, weights, "self_attn.k_proj", shape.keyWidth());
    requireEach(shape, weights, "self_attn.v_proj", shape.keyWidth());
  }

  /** The bias of one module, in every layer. */
  static void requireEach(Shape shape, Weights weights, String module, int length) {
    for (int i = 0; i < shape.layers(); i++) {
      requireOf(weights.at("model.layers." + i), module, length);
    }
  }

  /** The bias of one module of one layer. */
  static void requireOf(Weights layer, String module, int length) {
    if (!layer.has(module + ".bias")) {
      var _ = layer.vector(module + ".bias", length); // fails, and names it
    }
  }
}
