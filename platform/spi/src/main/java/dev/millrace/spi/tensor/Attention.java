package dev.millrace.spi.tensor;

import org.jspecify.annotations.Nullable;

/**
 * Causal grouped-query attention over the paged KV cache. Head counts follow from the widths of the
 * tensors.
 *
 * @param headDim numbers per head, of query, key and value
 * @param scale multiplies each dot product, usually 1/√headDim
 * @param window positions a query sees, itself included; 0: all
 * @param softCap scores s become softCap · tanh(s / softCap); 0: none
 * @param rope rotation of queries and keys, or null
 */
public record Attention(int headDim, float scale, int window, float softCap, @Nullable Rope rope) {
  public Attention {
    if (headDim < 1 || window < 0 || softCap < 0) {
      throw new IllegalArgumentException(
          "headDim " + headDim + ", window " + window + ", softCap " + softCap);
    }
  }
}
