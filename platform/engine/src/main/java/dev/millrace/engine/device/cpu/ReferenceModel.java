package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.stream.IntStream;

/** Replays a model's two programs, one instruction after the other. */
final class ReferenceModel implements DeviceModel {
  /** Memory of the logits that are held at a time. */
  private static final int HEAD_BYTES = 64 << 20;

  private static final int NONE = -1;

  /** What a head is given: it neither embeds nor attends. */
  private static final StepBatch NO_TOKENS = new StepBatch();

  private final Program hidden;
  private final Program head;
  private final Buffers hiddenBuffers;
  private final Buffers headBuffers;
  private final PagedKv kv;
  private final Workers workers;
  private final PagedAttention attention;
  private final MatrixProduct product;
  private final ExpertMixture mixture;
  private final int picksPerChunk;
  private int[] pickedRows = new int[0];

  /** The chunk of picks whose logits are held. */
  private int chunk = NONE;

  ReferenceModel(Program hidden, Program head, ModelSpec spec, KvLayout layout, Workers workers) {
    this.hidden = hidden;
    this.head = head;
    this.picksPerChunk = Math.max(1, HEAD_BYTES / Float.BYTES / spec.vocabulary());
    this.hiddenBuffers = new Buffers(hidden, Integer.MAX_VALUE);
    this.headBuffers = new Buffers(head, picksPerChunk);
    this.kv = new PagedKv(spec, layout);
    this.workers = workers;
    this.attention = new PagedAttention(kv, workers);
    this.product = new MatrixProduct(workers);
    this.mixture = new ExpertMixture(product);
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
    pickedRows = IntStream.range(0, batch.picks()).map(batch::pickedRow).toArray();
    chunk = NONE;
    if (pickedRows.length > 0) {
      runHead(0);
    }
  }

  @Override
  public void logits(int pick, float[] out) {
    Objects.checkIndex(pick, pickedRows.length);
    if (pick / picksPerChunk != chunk) {
      runHead(pick / picksPerChunk);
    }
    var rows = headBuffers.rows(head.output());
    long start = rows.start(pick % picksPerChunk);
    MemorySegment.copy(rows.segment(), JAVA_FLOAT, 4 * start, out, 0, rows.width());
  }

  private void runHead(int wanted) {
    chunk = NONE;
    int first = wanted * picksPerChunk;
    int picks = Math.min(picksPerChunk, pickedRows.length - first);
    headBuffers.ensure(picks);
    var from = hiddenBuffers.rows(hidden.output());
    var to = headBuffers.rows(head.input());
    for (int i = 0; i < picks; i++) {
      long source = 4 * from.start(pickedRows[first + i]);
      MemorySegment.copy(from.segment(), source, to.segment(), 4 * to.start(i), 4L * to.width());
    }
    for (var instruction : head.instructions()) {
      execute(instruction, headBuffers, NO_TOKENS, picks);
    }
    chunk = wanted;
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
      case Instruction.Mix i ->
          mixture.run(i, buffers.rows(i.x()), buffers.rows(i.routed()), out, rows);
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
