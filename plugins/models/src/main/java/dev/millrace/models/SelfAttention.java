package dev.millrace.models;

import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The attention of one layer.
 *
 * @param qkv queries, keys and values, in this order
 * @param norms of queries and keys, or null
 */
record SelfAttention(
    int layer,
    Shape shape,
    Attention attention,
    Linear qkv,
    @Nullable QueryKeyNorms norms,
    Linear output) {

  /** Queries, keys and values in matrices of their own. */
  static SelfAttention apart(int layer, Shape shape, Attention attention, Weights self) {
    var parts =
        List.of(
            new Part("q_proj", shape.queryWidth()),
            new Part("k_proj", shape.keyWidth()),
            new Part("v_proj", shape.keyWidth()));
    var qkv = self.merged(parts, shape.hidden(), Split.COLUMN);
    return new SelfAttention(layer, shape, attention, qkv, null, output("o_proj", shape, self));
  }

  /** Queries, keys and values in one matrix. */
  static SelfAttention fused(int layer, Shape shape, Attention attention, Weights self) {
    return fused("qkv_proj", "o_proj", layer, shape, attention, self);
  }

  /** The same, by names of their own. */
  static SelfAttention fused(
      String fused, String output, int layer, Shape shape, Attention attention, Weights self) {
    int width = shape.queryWidth() + 2 * shape.keyWidth();
    var qkv = self.linear(fused, width, shape.hidden(), Split.COLUMN);
    return new SelfAttention(layer, shape, attention, qkv, null, output(output, shape, self));
  }

  SelfAttention with(QueryKeyNorms queryKeyNorms) {
    return new SelfAttention(layer, shape, attention, qkv, queryKeyNorms, output);
  }

  Tensor apply(Tensor x, Ops ops) {
    var parts =
        ops.split(qkv.apply(x, ops), shape.queryWidth(), shape.keyWidth(), shape.keyWidth());
    var q = norms == null ? parts.get(0) : norms.query(parts.get(0), ops);
    var k = norms == null ? parts.get(1) : norms.key(parts.get(1), ops);
    return output.apply(ops.attention(layer, q, k, parts.get(2), attention), ops);
  }

  private static Linear output(String name, Shape shape, Weights self) {
    return self.linear(name, shape.hidden(), shape.queryWidth(), Split.ROW);
  }
}
