package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;

/** The decoder of Llama, which several families share. */
final class Llama {
  private Llama() {}

  /**
   * Binds it.
   *
   * @param headNorms whether queries and keys are normalised, head by head
   */
  static Decoder bind(
      ModelSpec spec, ModelConfig config, Shape shape, boolean headNorms, Weights weights) {
    var rope = RopeSettings.of(config, shape).rope();
    return Decoder.bind(
        shape,
        weights,
        (i, layer) -> {
          var attention = shape.attention(spec.layers().get(i).window(), rope);
          var bound = DecoderLayer.llama(i, shape, attention, layer);
          return headNorms
              ? bound.with(QueryKeyNorms.ofHeads(shape, layer.at("self_attn")))
              : bound;
        });
  }
}
