package dev.millrace.engine.device.cpu;

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
    float[] numbers = new float[headDim];
    for (int head = 0; head < k.width() / headDim; head++) {
      k.read(row, head * headDim, numbers, headDim);
      rotation.apply(numbers, position);
      kv.writeKey(layer, block, slot, head, numbers);
      v.read(row, head * headDim, numbers, headDim);
      kv.writeValue(layer, block, slot, head, numbers);
    }
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
    float[] cached = new float[0];
    MemorySegment cachedSegment = MemorySegment.ofArray(cached);
    double[] sum = new double[0];
    double[] scores = new double[0];

    void ensure(int headDim, int positions) {
      if (query.length < headDim) {
        query = new float[headDim];
        cached = new float[headDim];
        cachedSegment = MemorySegment.ofArray(cached);
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
      kv.readValue(task.layer, block, t % kv.blockSize(), task.kvHead, s.cached);
      double weight = s.scores[t - first];
      for (int i = 0; i < headDim; i++) {
        s.sum[i] += weight * s.cached[i];
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
      kv.readKey(task.layer, block, t % kv.blockSize(), task.kvHead, s.cached);
      double score = Dot.of(s.query, s.cachedSegment, 0, headDim) * attention.scale();
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
