package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.spi.tensor.Attention;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Causal attention over the paged cache, one query head of one row at a time, so that prefill and
 * decode are the same arithmetic.
 */
final class PagedAttention {
  private final PagedKv kv;
  private final Workers workers;
  private final Scratch[] scratch;

  PagedAttention(PagedKv kv, Workers workers) {
    this.kv = kv;
    this.workers = workers;
    this.scratch = new Scratch[workers.count()];
    Arrays.setAll(scratch, _ -> new Scratch());
  }

  void run(Instruction.Attend attend, Rows q, Rows k, Rows v, Rows out, StepBatch batch) {
    var attention = attend.attention();
    var rotation = new Rotation(attention.rope());
    // one thread: it may allocate slabs
    for (int row = 0; row < batch.rows(); row++) {
      append(attend.layer(), attention.headDim(), rotation, k, v, batch, row);
    }
    int heads = q.width() / attention.headDim();
    int group = heads / (k.width() / attention.headDim());
    workers.run(
        batch.rows() * heads,
        (slice, worker) -> {
          int row = slice / heads;
          int head = slice % heads;
          var task = new Task(attend.layer(), attention, rotation, batch, row, head, head / group);
          attend(task, q, out, scratch[worker]);
        });
  }

  private void append(
      int layer, int headDim, Rotation rotation, Rows k, Rows v, StepBatch batch, int row) {
    int position = batch.position(row);
    int block = batch.blockTable(row)[position / kv.blockSize()];
    int slot = position % kv.blockSize();
    var slab = kv.slab(block);
    long key = kv.key(layer, block, slot);
    float[] head = new float[headDim];
    for (int column = 0; column < k.width(); column += headDim) {
      k.read(row, column, head, headDim);
      rotation.apply(head, position);
      MemorySegment.copy(head, 0, slab, JAVA_FLOAT, 4 * (key + column), headDim);
    }
    long from = 4 * v.start(row);
    long to = 4 * kv.value(layer, block, slot);
    MemorySegment.copy(v.segment(), from, slab, to, 4L * v.width());
  }

  private record Task(
      int layer,
      Attention attention,
      Rotation rotation,
      StepBatch batch,
      int row,
      int head,
      int kvHead) {}

  private static final class Scratch {
    float[] query = new float[0];
    double[] sum = new double[0];
    double[] scores = new double[0];

    void ensure(int headDim, int positions) {
      if (query.length < headDim) {
        query = new float[headDim];
        sum = new double[headDim];
      }
      if (scores.length < positions) {
        scores = new double[Math.max(positions, 2 * scores.length)];
      }
    }
  }

  private void attend(Task task, Rows q, Rows out, Scratch s) {
    int headDim = task.attention.headDim();
    int last = task.batch.position(task.row);
    int window = task.attention.window();
    int first = window == 0 ? 0 : Math.max(0, last - window + 1);
    s.ensure(headDim, last - first + 1);
    q.read(task.row, task.head * headDim, s.query, headDim);
    task.rotation.apply(s.query, last);
    double total = softmax(task, first, last, s);
    Arrays.fill(s.sum, 0, headDim, 0);
    int[] blocks = task.batch.blockTable(task.row);
    for (int t = first; t <= last; t++) {
      int block = blocks[t / kv.blockSize()];
      var slab = kv.slab(block);
      long value = kv.value(task.layer, block, t % kv.blockSize()) + (long) task.kvHead * headDim;
      double weight = s.scores[t - first];
      for (int i = 0; i < headDim; i++) {
        s.sum[i] += weight * slab.getAtIndex(JAVA_FLOAT, value + i);
      }
    }
    for (int i = 0; i < headDim; i++) {
      out.set(task.row, task.head * headDim + i, (float) (s.sum[i] / total));
    }
  }

  /** Leaves exp(score − largest) in {@code scores}; returns their sum. */
  private double softmax(Task task, int first, int last, Scratch s) {
    var attention = task.attention;
    int headDim = attention.headDim();
    int[] blocks = task.batch.blockTable(task.row);
    double largest = Double.NEGATIVE_INFINITY;
    for (int t = first; t <= last; t++) {
      int block = blocks[t / kv.blockSize()];
      long key = kv.key(task.layer, block, t % kv.blockSize()) + (long) task.kvHead * headDim;
      double score = Dot.of(s.query, kv.slab(block), key, headDim) * attention.scale();
      if (attention.softCap() > 0) {
        score = attention.softCap() * Math.tanh(score / attention.softCap());
      }
      s.scores[t - first] = score;
      largest = Math.max(largest, score);
    }
    double total = 0;
    for (int i = 0; i <= last - first; i++) {
      s.scores[i] = Math.exp(s.scores[i] - largest);
      total += s.scores[i];
    }
    return total;
  }
}
