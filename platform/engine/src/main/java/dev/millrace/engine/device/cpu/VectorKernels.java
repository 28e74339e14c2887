package dev.millrace.engine.device.cpu;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import java.util.Arrays;
import java.util.Objects;

/**
 * Kernels in Java, by vectors. What they have no version of runs as in {@link ReferenceKernels}:
 * the routing of experts.
 */
final class VectorKernels implements Kernels {
  /** Numbers that one thread goes over sooner than two agree on who does what. */
  private static final long ALONE = 32_768;

  private final VectorConstants constants = new VectorConstants();
  private final Workers workers;
  private final Product product;
  private final VectorAttention attention;
  private final ExpertMixture mixture;
  private final VectorRows[] each;

  VectorKernels(Program hidden, Program head, PagedKv kv, Workers workers) {
    constants.add(hidden);
    constants.add(head);
    this.workers = workers;
    this.product = new OwnProduct(new VectorProduct(constants, workers), workers);
    this.attention = new VectorAttention(kv, workers);
    this.mixture = new ExpertMixture(product);
    this.each = new VectorRows[workers.count()];
    Arrays.setAll(each, _ -> new VectorRows());
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
        each(rows, out, (row, by) -> by.gate(i.f(), gateUp, out, row));
      }
      case Instruction.Activate i -> {
        var x = buffers.rows(i.x());
        each(rows, out, (row, by) -> by.activate(i.f(), x, out, row));
      }
      case Instruction.Add i -> add(buffers.rows(i.a()), buffers.rows(i.b()), out, rows);
      case Instruction.Scale i -> {
        var x = buffers.rows(i.x());
        each(rows, out, (row, by) -> by.scale(x, i.by(), out, row));
      }
      case Instruction.SoftCap i -> {
        var x = buffers.rows(i.x());
        each(rows, out, (row, by) -> by.softCap(x, i.cap(), out, row));
      }
      case Instruction.Mix i ->
          mixture.run(i, buffers.rows(i.x()), buffers.rows(i.routed()), out, rows);
    }
  }

  private void norm(NormWeights norm, Rows x, Rows out, int rows, int width) {
    float[] weight = Objects.requireNonNull(constants.vector(norm.weight()));
    float[] bias = constants.vector(norm.bias());
    each(rows, out, (row, by) -> by.norm(norm, weight, bias, x, out, row, width));
  }

  private void add(Rows a, Rows b, Rows out, int rows) {
    each(rows, out, (row, by) -> by.add(a, b, out, row));
  }

  private interface RowTask {
    void run(int row, VectorRows by);
  }

  private void each(int rows, Rows out, RowTask task) {
    if ((long) rows * out.width() <= ALONE) {
      for (int row = 0; row < rows; row++) {
        task.run(row, each[0]);
      }
      return;
    }
    int perSlice = (int) Math.max(1, ALONE / 2 / out.width());
    workers.run(
        Math.ceilDiv(rows, perSlice),
        (slice, worker) -> {
          int end = Math.min(rows, (slice + 1) * perSlice);
          for (int row = slice * perSlice; row < end; row++) {
            task.run(row, each[worker]);
          }
        });
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
