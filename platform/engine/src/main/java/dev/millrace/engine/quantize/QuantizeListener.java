package dev.millrace.engine.quantize;

/** Hears how far quantizing has come. Called by one thread. */
public interface QuantizeListener {
  /** Hears nothing. */
  QuantizeListener NONE = (_, _, _) -> {};

  /**
   * A matrix is done.
   *
   * @param done matrices so far
   * @param total matrices in all
   * @param module the last one
   */
  void quantized(int done, int total, String module);
}
