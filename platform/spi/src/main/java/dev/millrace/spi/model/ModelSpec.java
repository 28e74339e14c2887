package dev.millrace.spi.model;

import java.util.List;

/**
 * The geometry of a model.
 *
 * @param hidden width of the residual stream
 * @param vocabulary rows of the head: token ids run from 0 to vocabulary − 1
 * @param maxContext longest sequence the weights were made for, in tokens
 * @param layers what each attention layer caches, in order
 */
public record ModelSpec(int hidden, int vocabulary, int maxContext, List<KvLayer> layers) {
  public ModelSpec {
    if (hidden < 1 || vocabulary < 1 || maxContext < 1) {
      throw new IllegalArgumentException(
          "hidden " + hidden + ", vocabulary " + vocabulary + ", context " + maxContext);
    }
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a model without layers");
    }
  }
}
