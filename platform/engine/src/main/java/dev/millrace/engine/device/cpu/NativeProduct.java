package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.MemorySegment;

/** {@code y = x Wᵀ + b} by native kernels: one phase, shared out by rows of W. */
final class NativeProduct implements Product {
  /** Multiplications that one thread does sooner than two agree on who does what. */
  private static final long ALONE = 20_000;

  private final NativeFunctions functions;
  private final NativeConstants constants;
  private final Workers workers;
  private final RoundedActivations rounded;
  private final QuantisedActivations quantised;
  private MemorySegment reordered = MemorySegment.NULL;

  /** Products of what the constants hold. */
  NativeProduct(NativeFunctions functions, NativeConstants constants, Workers workers) {
    this.functions = functions;
    this.constants = constants;
    this.workers = workers;
    this.rounded = new RoundedActivations(functions, workers);
    this.quantised = new QuantisedActivations(functions, workers);
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    var ready = constants.linear(linear);
    for (var group : ready.groups()) {
      run(ready, group, group.reorders() ? reordered(group, x, rows) : x, out, rows);
    }
  }

  private void run(NativeLinear linear, NativeLinear.Group group, Rows x, Rows out, int rows) {
    group.operands().forEach(operand -> prepare(operand, x, rows));
    var slices = group.slices(rows, functions.largeSlices());
    if (linear.weights() * rows > ALONE) {
      workers.run(
          slices.starts(),
          (slice, worker) -> multiply(linear, slices.all().get(slice), x, out, rows, worker));
      return;
    }
    for (var slice : slices.all()) {
      multiply(linear, slice, x, out, rows, 0);
    }
  }

  private void prepare(Operand operand, Rows x, int rows) {
    switch (operand) {
      case FLOATS -> {}
      case ROUNDED, ROUNDED_FOR_NIBBLES -> rounded.round(operand, x, rows);
      case BYTES -> quantised.quantise(x, rows);
    }
  }

  private void multiply(
      NativeLinear linear, NativeLinear.Slice slice, Rows x, Rows out, int rows, int worker) {
    long behind = (long) Float.BYTES * slice.output();
    long y = out.address() + behind;
    long bias = linear.bias() == 0 ? 0 : linear.bias() + behind;
    var operand = slice.matrix().operand();
    switch (operand) {
      case FLOATS -> functions.product(slice, x, y, out.stride(), bias, rows);
      case ROUNDED, ROUNDED_FOR_NIBBLES -> {
        long scratch = rounded.scratch(worker);
        long from = rounded.rounded(operand);
        functions.roundedProduct(slice, from, y, out.stride(), bias, rows, scratch);
      }
      case BYTES ->
          functions.integerProduct(slice, quantised.address(), y, out.stride(), bias, rows);
    }
  }

  /** The inputs in the order of a group's columns; good until the next call. */
  private Rows reordered(NativeLinear.Group group, Rows x, int rows) {
    reordered = Scratch.atLeast(reordered, Float.BYTES * Math.multiplyFull(rows, x.width()));
    var out = new Rows(reordered, 0, x.width(), x.width());
    functions.reorder(x, out, group.order().address(), rows);
    return out;
  }
}
