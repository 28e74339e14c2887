package dev.millrace.spi.tensor;

/** {@code y = x Wᵀ (+ b)}, whatever the encoding of W. Given by the engine; a model applies it. */
public interface Linear {
  /**
   * Records the product.
   *
   * @param x [rows, in]
   * @return [rows, out]
   */
  Tensor apply(Tensor x, Ops ops);
}
