package dev.millrace.models;

import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Norm;
import org.jspecify.annotations.Nullable;

/**
 * The norms of a layer, around attention and around the feed-forward part; null where it has none.
 */
record LayerNorms(
    @Nullable Norm beforeAttention,
    @Nullable Norm afterAttention,
    @Nullable Norm beforeFeedForward,
    @Nullable Norm afterFeedForward) {

  /** Norms on what goes into each half, as in Llama. */
  static LayerNorms before(Shape shape, Weights layer) {
    return before("input_layernorm", "post_attention_layernorm", shape, layer);
  }

  /** The same, by names of their own. */
  static LayerNorms before(String attention, String feedForward, Shape shape, Weights layer) {
    return new LayerNorms(
        norm(attention, shape, layer), null, norm(feedForward, shape, layer), null);
  }

  /** Norms on what comes out of each half, as in OLMo2. */
  static LayerNorms after(Shape shape, Weights layer) {
    return new LayerNorms(
        null,
        norm("post_attention_layernorm", shape, layer),
        null,
        norm("post_feedforward_layernorm", shape, layer));
  }

  /** Both, as in Gemma 2. */
  static LayerNorms around(Shape shape, Weights layer) {
    return new LayerNorms(
        norm("input_layernorm", shape, layer),
        norm("post_attention_layernorm", shape, layer),
        norm("pre_feedforward_layernorm", shape, layer),
        norm("post_feedforward_layernorm", shape, layer));
  }

  private static Norm norm(String name, Shape shape, Weights layer) {
    return shape.norms().bind(name, shape.hidden(), layer);
  }
}
