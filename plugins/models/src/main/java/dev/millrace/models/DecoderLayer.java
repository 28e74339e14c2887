package dev.millrace.models;

import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Attention, then a feed-forward part, each added to the residual stream. */
record DecoderLayer(LayerNorms norms, SelfAttention attention, FeedForward feedForward) {

  /** How a family makes its layers. */
  interface Binder {
    /**
     * Binds one layer.
     *
     * @param layer the weights of layer {@code index}
     */
    DecoderLayer bind(int index, Weights layer);
  }

  /** The layer of Llama. */
  static DecoderLayer llama(int index, Shape shape, Attention attention, Weights layer) {
    return new DecoderLayer(
        LayerNorms.before(shape, layer),
        SelfAttention.apart(index, shape, attention, layer.at("self_attn")),
        FeedForward.gated(shape, layer.at("mlp")));
  }

  DecoderLayer with(QueryKeyNorms queryKeyNorms) {
    return new DecoderLayer(norms, attention.with(queryKeyNorms), feedForward);
  }

  /**
   * Runs the layer.
   *
   * @param x the stream behind this layer's first norm
   * @param next the norm that comes after the layer, or null
   * @return the stream behind {@code next}
   */
  Tensor forward(ResidualStream stream, Tensor x, @Nullable Norm next, Ops ops) {
    var attended = normed(attention.apply(x, ops), norms.afterAttention(), ops);
    var y = stream.add(attended, norms.beforeFeedForward());
    var fed = normed(feedForward.apply(y, ops), norms.afterFeedForward(), ops);
    return stream.add(fed, next);
  }

  private static Tensor normed(Tensor x, @Nullable Norm norm, Ops ops) {
    return norm == null ? x : ops.norm(x, norm);
  }
}
