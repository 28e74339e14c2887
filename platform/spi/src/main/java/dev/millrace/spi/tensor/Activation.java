package dev.millrace.spi.tensor;

/** Element-wise functions of the feed-forward layers. */
public enum Activation {
  /** x · sigmoid(x). */
  SILU,
  /** x · Φ(x), with the error function. */
  GELU,
  /** The tanh approximation of GELU. */
  GELU_TANH,
  /** max(x, 0). */
  RELU
}
