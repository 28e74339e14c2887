package dev.millrace.spi.model;

/**
 * What one layer keeps per token in the KV cache.
 *
 * @param kvHeads key-value heads
 * @param keyDim numbers per key head
 * @param valueDim numbers per value head
 * @param window positions the layer looks back over; 0: all
 */
public record KvLayer(int kvHeads, int keyDim, int valueDim, int window) {
  public KvLayer {
    if (kvHeads < 1 || keyDim < 1 || valueDim < 1 || window < 0) {
      throw new IllegalArgumentException(
          "KV layer of " + kvHeads + " heads, " + keyDim + " and " + valueDim + " numbers each");
    }
  }
}
