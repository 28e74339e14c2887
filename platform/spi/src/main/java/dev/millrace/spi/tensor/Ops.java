package dev.millrace.spi.tensor;

import java.util.List;

/**
 * The operations of a forward pass. A model calls them once, while it is loaded; the calls are
 * recorded into a flat program that the device replays each step. So nothing here computes, no
 * value can be read, and no call may depend on one. Called by the loading thread only.
 *
 * <p>Rows are the step's tokens, of all its sequences, one after the other; positions and block
 * tables are the engine's business. Implemented by the engine; it may grow.
 */
public interface Ops {
  /** The embeddings of the step's tokens: [rows, embedding width]. */
  Tensor embed(Embedding table);

  /** Normalises each row. */
  Tensor norm(Tensor x, Norm norm);

  /** {@code norm(residual + x)}; the sum itself is left in {@code residual}. */
  Tensor addNorm(Tensor residual, Tensor x, Norm norm);

  /** Normalises each run of {@code headDim} numbers on its own, with one weight for all. */
  Tensor headNorm(Tensor x, int headDim, Norm norm);

  /** Cuts each row into parts of the given widths, which must add up to the row. */
  List<Tensor> split(Tensor x, int... widths);

  /**
   * Appends k and v to the layer's paged cache, then attends causally over it.
   *
   * @param layer index into {@code ModelSpec.layers()}
   * @param q [rows, heads · headDim]
   * @param k [rows, kvHeads · headDim]
   * @param v [rows, kvHeads · headDim]
   * @return [rows, heads · headDim]
   */
  Tensor attention(int layer, Tensor q, Tensor k, Tensor v, Attention attention);

  /** {@code f(gate) · up}, where each row of x is gate then up: [rows, 2n] to [rows, n]. */
  Tensor gated(Activation f, Tensor gateUp);

  /** {@code f(x)}, element by element. */
  Tensor activate(Activation f, Tensor x);

  /** A mixture-of-experts layer: [rows, hidden] to [rows, hidden]. */
  Tensor experts(Tensor x, Linear router, Experts experts, Routing routing);

  /** {@code a + b}. */
  Tensor add(Tensor a, Tensor b);

  /** {@code x · by}. */
  Tensor scale(Tensor x, float by);

  /** {@code cap · tanh(x / cap)}. */
  Tensor softCap(Tensor x, float cap);
}
