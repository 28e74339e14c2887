package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;

/** {@code y = x Wᵀ + b} by native kernels, shared out by rows of W. */
final class NativeProduct implements Product {
  /** Rows of a slice: some microseconds of work at least, and few enough to share out evenly. */
  private static final int SLICE_ROWS = 32;

  /** Multiplications that one thread does sooner than two agree on who does what. */
  private static final long ALONE = 20_000;

  private final NativeFunctions functions;
  private final NativeConstants constants;
  private final Workers workers;

  NativeProduct(NativeFunctions functions, NativeConstants constants, Workers workers) {
    this.functions = functions;
    this.constants = constants;
    this.workers = workers;
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    long bias = constants.address(linear.bias());
    int output = 0;
    for (var part : linear.parts()) {
      var matrix = constants.matrix(part);
      long from = output;
      multiply(
          matrix,
          x,
          out.address() + Float.BYTES * from,
          out.stride(),
          bias == 0 ? 0 : bias + Float.BYTES * from,
          rows);
      output += part.rows();
    }
  }

  private void multiply(
      NativeMatrix matrix, Rows x, long out, long outStride, long bias, int tokens) {
    int rows = (int) matrix.rows();
    if (matrix.rows() * matrix.columns() * tokens <= ALONE) {
      functions.product(matrix, x, out, outStride, bias, 0, rows, tokens);
      return;
    }
    workers.run(
        Math.ceilDiv(rows, SLICE_ROWS),
        (slice, _) -> {
          int first = slice * SLICE_ROWS;
          int end = Math.min(rows, first + SLICE_ROWS);
          functions.product(matrix, x, out, outStride, bias, first, end, tokens);
        });
  }
}
