package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;

/**
 * {@code y = x Wᵀ + b} by native kernels: one phase, shared out by rows of W. Formats without a
 * kernel are multiplied as {@link MatrixProduct} does.
 */
final class NativeProduct implements Product {
  /** Multiplications that one thread does sooner than two agree on who does what. */
  private static final long ALONE = 20_000;

  private final NativeFunctions functions;
  private final NativeConstants constants;
  private final Workers workers;
  private final MatrixProduct decoded;

  NativeProduct(NativeFunctions functions, NativeConstants constants, Workers workers) {
    this.functions = functions;
    this.constants = constants;
    this.workers = workers;
    this.decoded = new MatrixProduct(workers);
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    var ready = constants.linear(linear);
    if (ready == null) {
      decoded.run(linear, x, out, rows);
      return;
    }
    int slices = ready.slices().size();
    if (ready.weights() * rows > ALONE) {
      workers.run(slices, (slice, _) -> multiply(ready, slice, x, out, rows));
      return;
    }
    for (int slice = 0; slice < slices; slice++) {
      multiply(ready, slice, x, out, rows);
    }
  }

  private void multiply(NativeLinear linear, int index, Rows x, Rows out, int rows) {
    var slice = linear.slices().get(index);
    long behind = (long) Float.BYTES * slice.output();
    long bias = linear.bias() == 0 ? 0 : linear.bias() + behind;
    functions.product(slice, x, out.address() + behind, out.stride(), bias, rows);
  }
}
