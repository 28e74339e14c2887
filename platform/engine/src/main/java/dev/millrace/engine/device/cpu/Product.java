package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;

/** {@code y = x Wᵀ + b}. */
interface Product {
  /** Computes all outputs of the first {@code rows} rows. */
  void run(MatrixLinear linear, Rows x, Rows out, int rows);
}
