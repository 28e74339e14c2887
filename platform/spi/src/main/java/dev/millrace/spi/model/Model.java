package dev.millrace.spi.model;

import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;

/**
 * A loaded model: two recorded programs. Both methods are called once per device, by the loading
 * thread, and must only call {@code ops}.
 */
public interface Model {
  /** All rows of a step, after the last norm: [rows, hidden]. */
  Tensor hidden(Ops ops);

  /**
   * The head alone, on rows the engine picked (those it samples from, or whose log-probabilities
   * were asked for): [picked rows, hidden] to [picked rows, vocabulary].
   */
  Tensor logits(Tensor rows, Ops ops);
}
