package dev.millrace.engine.device.cpu;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;

/** Plain Java, one number at a time. */
final class ReferenceKernels implements Kernels {
  private final Workers workers;
  private final PagedAttention attention;
  private final MatrixProduct product;
  private final ExpertMixture mixture;

  ReferenceKernels(PagedKv kv, Workers workers) {
    this.workers = workers;
    this.attention = new PagedAttention(kv, workers);
    this.product = new MatrixProduct(workers);
    this.mixture = new ExpertMixture(product);
  }

  @Override
  public void begin(StepBatch batch) {}

  @Override
  public void execute(Instruction instruction, Buffers buffers, StepBatch batch, int rows) {
    var out = buffers.rows(instruction.out());
    switch (instruction) {
      case Instruction.Embed i -> embed(i, out, batch, rows);
      case Instruction.Normalise i -> {
        var x = buffers.rows(i.x());
        Normalisation.run(i.norm(), x, out, rows, x.width());
      }
      case Instruction.AddNormalise i -> {
        var residual = buffers.rows(i.residual());
        Elementwise.add(residual, buffers.rows(i.x()), residual, rows);
        Normalisation.run(i.norm(), residual, out, rows, residual.width());
      }
      case Instruction.HeadNormalise i ->
          Normalisation.run(i.norm(), buffers.rows(i.x()), out, rows, i.headDim());
      case Instruction.Multiply i -> product.run(i.linear(), buffers.rows(i.x()), out, rows);
      case Instruction.Attend i ->
          attention.run(
              i, buffers.rows(i.q()), buffers.rows(i.k()), buffers.rows(i.v()), out, batch);
      case Instruction.Gate i -> {
        var gateUp = buffers.rows(i.gateUp());
        workers.run(rows, (row, _) -> Elementwise.gate(i.f(), gateUp, out, row));
      }
      case Instruction.Activate i -> Elementwise.activate(i.f(), buffers.rows(i.x()), out, rows);
      case Instruction.Add i ->
          Elementwise.add(buffers.rows(i.a()), buffers.rows(i.b()), out, rows);
      case Instruction.Scale i -> Elementwise.scale(buffers.rows(i.x()), i.by(), out, rows);
      case Instruction.Mix i ->
          mixture.run(i, buffers.rows(i.x()), buffers.rows(i.routed()), out, rows);
      case Instruction.SoftCap i -> Elementwise.softCap(buffers.rows(i.x()), i.cap(), out, rows);
    }
  }

  static void embed(Instruction.Embed embed, Rows out, StepBatch batch, int rows) {
    float[] row = new float[out.width()];
    for (int r = 0; r < rows; r++) {
      embed.table().table().decodeRow(batch.token(r), row);
      out.write(r, row, row.length);
    }
  }

  @Override
  public void multiply(MatrixLinear linear, Rows x, Rows out, int rows) {
    product.run(linear, x, out, rows);
  }

  @Override
  public void close() {}
}
