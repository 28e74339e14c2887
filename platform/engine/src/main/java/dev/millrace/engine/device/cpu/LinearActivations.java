package dev.millrace.engine.device.cpu;

/** What linears make of their activations where native kernels offer a choice. */
public enum LinearActivations {
  /** F32, or BF16 where the instruction set multiplies that. */
  FLOAT,

  /**
   * Bytes with a scale for each 16 columns of a token, for weights in INT8 and INT4; as {@link
   * #FLOAT} for others.
   */
  INT8
}
