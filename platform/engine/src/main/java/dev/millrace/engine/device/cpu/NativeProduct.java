package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import org.jspecify.annotations.Nullable;

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
  private final @Nullable RoundedActivations rounding;

  /**
   * Products of what the constants hold.
   *
   * @param rounding null where all activations stay in F32
   */
  NativeProduct(
      NativeFunctions functions,
      NativeConstants constants,
      Workers workers,
      @Nullable RoundedActivations rounding) {
    this.functions = functions;
    this.constants = constants;
    this.workers = workers;
    this.decoded = new MatrixProduct(workers);
    this.rounding = rounding;
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    var ready = constants.linear(linear);
    if (ready == null) {
      decoded.run(linear, x, out, rows);
      return;
    }
    long rounded = rounding != null && ready.rounds() ? rounding.round(x, rows) : 0;
    int slices = ready.slices().size();
    if (ready.weights() * rows > ALONE) {
      workers.run(slices, (slice, worker) -> multiply(ready, slice, x, rounded, out, rows, worker));
      return;
    }
    for (int slice = 0; slice < slices; slice++) {
      multiply(ready, slice, x, rounded, out, rows, 0);
    }
  }

  private void multiply(
      NativeLinear linear, int index, Rows x, long rounded, Rows out, int rows, int worker) {
    var slice = linear.slices().get(index);
    long behind = (long) Float.BYTES * slice.output();
    long y = out.address() + behind;
    long bias = linear.bias() == 0 ? 0 : linear.bias() + behind;
    if (rounding != null && slice.matrix().rounds()) {
      long scratch = rounding.scratch(worker);
      functions.roundedProduct(slice, rounded, y, out.stride(), bias, rows, scratch);
    } else {
      functions.product(slice, x, y, out.stride(), bias, rows);
    }
  }
}
