package dev.millrace.engine.device.cpu;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.tensor.Activation;

/**
 * The kernels of {@code kernels/cpu}. What they have no version of, the routing of experts, runs as
 * in {@link ReferenceKernels}.
 */
final class NativeKernels implements Kernels {
  /** Numbers that one thread goes over sooner than two agree on who does what. */
  private static final long ALONE = 32_768;

  private final NativeFunctions functions;
  private final NativeConstants constants;
  private final Workers workers;
  private final Product product;
  private final NativeAttention attention;
  private final ExpertMixture mixture;

  NativeKernels(
      NativeFunctions functions, Program hidden, Program head, PagedKv kv, Workers workers) {
    this.functions = functions;
    this.constants = new NativeConstants(functions, workers.count());
    constants.add(hidden);
    constants.add(head);
    this.workers = workers;
    this.product = new OwnProduct(new NativeProduct(functions, constants, workers), workers);
    this.attention = new NativeAttention(functions.attention(), kv, workers);
    this.mixture = new ExpertMixture(product);
  }

  @Override
  public void begin(StepBatch batch) {
    attention.begin(batch);
  }

  @Override
  public void execute(Instruction instruction, Buffers buffers, StepBatch batch, int rows) {
    var out = buffers.rows(instruction.out());
    switch (instruction) {
      case Instruction.Embed i -> ReferenceKernels.embed(i, out, batch, rows);
      case Instruction.Normalise i -> {
        var x = buffers.rows(i.x());
        norm(i.norm(), x, out, rows, x.width());
      }
      case Instruction.AddNormalise i -> {
        var residual = buffers.rows(i.residual());
        add(residual, buffers.rows(i.x()), residual, rows);
        norm(i.norm(), residual, out, rows, residual.width());
      }
      case Instruction.HeadNormalise i ->
          norm(i.norm(), buffers.rows(i.x()), out, rows, i.headDim());
      case Instruction.Multiply i -> product.run(i.linear(), buffers.rows(i.x()), out, rows);
      case Instruction.Attend i ->
          attention.run(
              i, buffers.rows(i.q()), buffers.rows(i.k()), buffers.rows(i.v()), out, batch);
      case Instruction.Gate i -> {
        var gateUp = buffers.rows(i.gateUp());
        activate(i.f(), gateUp, gateUp.address() + (long) Float.BYTES * out.width(), out, rows);
      }
      case Instruction.Activate i -> activate(i.f(), buffers.rows(i.x()), 0, out, rows);
      case Instruction.Add i -> add(buffers.rows(i.a()), buffers.rows(i.b()), out, rows);
      case Instruction.Scale i -> {
        var x = buffers.rows(i.x());
        each(rows, out, (first, end) -> functions.scale(x, out, i.by(), first, end));
      }
      case Instruction.SoftCap i -> {
        var x = buffers.rows(i.x());
        each(rows, out, (first, end) -> functions.softCap(x, out, i.cap(), first, end));
      }
      case Instruction.Mix i ->
          mixture.run(i, buffers.rows(i.x()), buffers.rows(i.routed()), out, rows);
    }
  }

  private void norm(NormWeights norm, Rows x, Rows out, int rows, int width) {
    long weight = constants.address(norm.weight());
    long bias = constants.address(norm.bias());
    long layer =
        switch (norm.kind()) {
          case RMS -> 0;
          case LAYER -> 1;
        };
    each(
        rows,
        out,
        (first, end) -> functions.norm(x, out, width, weight, bias, norm.eps(), layer, first, end));
  }

  private void add(Rows a, Rows b, Rows out, int rows) {
    each(rows, out, (first, end) -> functions.add(a, b, out, first, end));
  }

  private void activate(Activation f, Rows x, long up, Rows out, int rows) {
    long number =
        switch (f) {
          case SILU -> 0;
          case GELU -> 1;
          case GELU_TANH -> 2;
          case RELU -> 3;
        };
    each(rows, out, (first, end) -> functions.activate(number, x, up, out, first, end));
  }

  private interface RowRange {
    void run(int first, int end);
  }

  private void each(int rows, Rows out, RowRange range) {
    if ((long) rows * out.width() <= ALONE) {
      range.run(0, rows);
      return;
    }
    int perSlice = (int) Math.max(1, ALONE / 2 / out.width());
    workers.run(
        Math.ceilDiv(rows, perSlice),
        (slice, _) -> range.run(slice * perSlice, Math.min(rows, (slice + 1) * perSlice)));
  }

  @Override
  public void multiply(MatrixLinear linear, Rows x, Rows out, int rows) {
    constants.lend(linear, () -> product.run(linear, x, out, rows));
  }

  @Override
  public void close() {
    constants.close();
  }
}
