package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.Program;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.stream.IntStream;

/** Replays a model's two programs, one instruction after the other. */
final class CpuModel implements DeviceModel {
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
  private final Kernels kernels;
  private final Workers workers;
  private final RowDraws rowDraws;
  private final int picksPerChunk;
  private int[] pickedRows = new int[0];

  /** The chunk of picks whose logits are held. */
  private int chunk = NONE;

  /** Owns the cache and the kernels. */
  CpuModel(
      Program hidden, Program head, int vocabulary, PagedKv kv, Kernels kernels, Workers workers) {
    this.hidden = hidden;
    this.head = head;
    this.picksPerChunk = Math.max(1, HEAD_BYTES / Float.BYTES / vocabulary);
    this.hiddenBuffers = new Buffers(hidden, Integer.MAX_VALUE);
    this.headBuffers = new Buffers(head, picksPerChunk);
    this.kv = kv;
    this.kernels = kernels;
    this.workers = workers;
    this.rowDraws = new RowDraws(workers);
  }

  @Override
  public void attach() {
    workers.attach();
  }

  @Override
  public void run(StepBatch batch) {
    for (int i = 0; i < batch.copies(); i++) {
      kv.copy(batch.copySource(i), batch.copyTarget(i));
    }
    hiddenBuffers.ensure(batch.rows());
    kernels.begin(batch);
    for (var instruction : hidden.instructions()) {
      kernels.execute(instruction, hiddenBuffers, batch, batch.rows());
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

  /** Where a step picks more rows than there is room for, they are left to whoever asks in turn. */
  @Override
  public void draw(TokenDraws draws) {
    if (pickedRows.length <= picksPerChunk && chunk == 0) {
      rowDraws.run(draws, headBuffers.rows(head.output()));
    }
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
      kernels.execute(instruction, headBuffers, NO_TOKENS, picks);
    }
    chunk = wanted;
  }

  @Override
  public void close() {
    hiddenBuffers.close();
    headBuffers.close();
    kernels.close();
    kv.close();
  }
}
