package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.MemorySegment;

/** Replays a model's two programs, one instruction after the other. */
final class ReferenceModel implements DeviceModel {
  private final Program hidden;
  private final Program head;
  private final Buffers hiddenBuffers;
  private final Buffers headBuffers;
  private final PagedKv kv;
  private final Workers workers;
  private final PagedAttention attention;
  private final MatrixProduct product;

  ReferenceModel(Program hidden, Program head, ModelSpec spec, KvLayout layout, Workers workers) {
    this.hidden = hidden;
    this.head = head;
    this.hiddenBuffers = new Buffers(hidden);
    this.headBuffers = new Buffers(head);
    this.kv = new PagedKv(spec, layout);
    this.workers = workers;
    this.attention = new PagedAttention(kv, workers);
    this.product = new MatrixProduct(workers);
  }

  @Override
  public void run(StepBatch batch) {
    for (int i = 0; i < batch.copies(); i++) {
      kv.copy(batch.copySource(i), batch.copyTarget(i));
    }
    hiddenBuffers.ensure(batch.rows());
    for (var instruction : hidden.instructions()) {
      execute(instruction, hiddenBuffers, batch, batch.rows());
    }
    headBuffers.ensure(batch.picks());
    var from = hiddenBuffers.rows(hidden.output());
    var to = headBuffers.rows(head.input());
    for (int pick = 0; pick < batch.picks(); pick++) {
      long source = 4 * from.start(batch.pickedRow(pick));
      long target = 4 * to.start(pick);
      MemorySegment.copy(from.segment(), source, to.segment(), target, 4L * to.width());
    }
    if (batch.picks() > 0) {
      for (var instruction : head.instructions()) {
        execute(instruction, headBuffers, batch, batch.picks());
      }
    }
  }

  @Override
  public void logits(int pick, float[] out) {
    var rows = headBuffers.rows(head.output());
    MemorySegment.copy(rows.segment(), JAVA_FLOAT, 4 * rows.start(pick), out, 0, rows.width());
  }

  private void execute(Instruction instruction, Buffers buffers, StepBatch batch, int rows) {
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
      case Instruction.SoftCap i -> Elementwise.softCap(buffers.rows(i.x()), i.cap(), out, rows);
    }
  }

  private static void embed(Instruction.Embed embed, Rows out, StepBatch batch, int rows) {
    float[] row = new float[out.width()];
    for (int r = 0; r < rows; r++) {
      embed.table().table().decodeRow(batch.token(r), row);
      out.write(r, row, row.length);
    }
  }

  @Override
  public void close() {
    hiddenBuffers.close();
    headBuffers.close();
    kv.close();
  }
}
