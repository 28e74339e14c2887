package dev.millrace.models;

import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention, then a gated feed-forward layer, each behind a norm and added to the residual.
 *
 * @param headNorms norms of queries and keys, or null
 */
record DecoderLayer(
    int index,
    Shape shape,
    Attention attention,
    Norm inputNorm,
    Linear qkv,
    @Nullable HeadNorms headNorms,
    Linear output,
    Norm feedForwardNorm,
    Linear gateUp,
    Linear down) {

  static DecoderLayer bind(
      int index, Shape shape, Attention attention, boolean headNorms, Weights weights) {
    var self = weights.at("self_attn");
    var mlp = weights.at("mlp");
    var qkv =
        List.of(
            new Part("q_proj", shape.queryWidth()),
            new Part("k_proj", shape.keyWidth()),
            new Part("v_proj", shape.keyWidth()));
    var gateUp = List.of(new Part("gate_proj", shape.inner()), new Part("up_proj", shape.inner()));
    return new DecoderLayer(
        index,
        shape,
        attention,
        norm("input_layernorm", shape, weights),
        self.merged(qkv, shape.hidden(), Split.COLUMN),
        headNorms ? HeadNorms.bind(shape, self) : null,
        self.linear("o_proj", shape.hidden(), shape.queryWidth(), Split.ROW),
        norm("post_attention_layernorm", shape, weights),
        mlp.merged(gateUp, shape.hidden(), Split.COLUMN),
        mlp.linear("down_proj", shape.hidden(), shape.inner(), Split.ROW));
  }

  /**
   * Runs the layer.
   *
   * @param residual the stream; the layer adds to it
   * @param x the stream behind this layer's first norm
   * @param next the norm that comes after the layer
   * @return the stream behind {@code next}
   */
  Tensor forward(Tensor residual, Tensor x, Norm next, Ops ops) {
    var parts =
        ops.split(qkv.apply(x, ops), shape.queryWidth(), shape.keyWidth(), shape.keyWidth());
    var q = headNorms == null ? parts.get(0) : headNorms.query(parts.get(0), ops);
    var k = headNorms == null ? parts.get(1) : headNorms.key(parts.get(1), ops);
    var attended = ops.attention(index, q, k, parts.get(2), attention);
    var y = ops.addNorm(residual, output.apply(attended, ops), feedForwardNorm);
    var inner = ops.gated(shape.activation(), gateUp.apply(y, ops));
    return ops.addNorm(residual, down.apply(inner, ops), next);
  }

  private static Norm norm(String name, Shape shape, Weights weights) {
    return Norm.rms(weights.vector(name + ".weight", shape.hidden()), shape.eps());
  }
}
