package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Attention of one row and one key-value head at a time, with all query heads that share it, for
 * prefill and decode alike: so a row's bits depend on its own sequence alone. One thread's.
 */
final class VectorHeads {
  /** Keys or values that are decoded together, a multiple of {@link #KEYS}. */
  private static final int CHUNK = 32;

  /** Keys of a block of products. */
  private static final int KEYS = 8;

  private final PagedKv kv;
  private final VectorCache cache;
  private final float[] lanes = new float[KEYS * Lanes.WIDTH];
  private final float[] results = new float[KEYS];
  private float[] numbers = new float[0];
  private float[] queries = new float[0];
  private float[] decoded = new float[0];
  private float[] sums = new float[0];
  private float[] scores = new float[0];

  VectorHeads(PagedKv kv) {
    this.kv = kv;
    this.cache = new VectorCache(kv);
  }

  /**
   * What one task reads.
   *
   * @param kvHead among those of a token
   * @param group query heads that share it
   * @param first position that is attended to
   * @param last position: the row's own
   */
  private record Task(
      Instruction.Attend attend, int[] blocks, int kvHead, int group, int first, int last) {
    int headDim() {
      return attend.attention().headDim();
    }

    int stride() {
      return Lanes.stride(headDim());
    }

    int positions() {
      return last - first + 1;
    }

    /** Distance of the scores of two query heads. */
    int scoreStride() {
      return Lanes.padded(positions());
    }
  }

  /** Rotates a row's keys, and puts them and its values into the cache. */
  void append(Instruction.Attend attend, Angles angles, Rows k, Rows v, StepBatch batch, int row) {
    int headDim = attend.attention().headDim();
    int position = batch.position(row);
    int block = batch.blockTable(row)[position / kv.blockSize()];
    int slot = position % kv.blockSize();
    numbers = Lanes.room(numbers, headDim);
    for (int head = 0; head < k.width() / headDim; head++) {
      k.read(row, head * headDim, numbers, headDim);
      angles.rotate(numbers, 0, position);
      kv.writeKey(attend.layer(), block, slot, head, numbers);
      v.read(row, head * headDim, numbers, headDim);
      kv.writeValue(attend.layer(), block, slot, head, numbers);
    }
  }

  /** Computes the outputs of the query heads that share a key-value head. */
  void attend(
      Instruction.Attend attend,
      Angles angles,
      Rows q,
      Rows out,
      StepBatch batch,
      int row,
      int kvHead) {
    int headDim = attend.attention().headDim();
    int group = q.width() / attend.k().width();
    int last = batch.position(row);
    int window = attend.attention().window();
    int first = window == 0 ? 0 : Math.max(0, last - window + 1);
    var task = new Task(attend, batch.blockTable(row), kvHead, group, first, last);
    int stride = task.stride();
    ensure(task);
    long column = (long) kvHead * group * headDim;
    for (int g = 0; g < group; g++) {
      long from = q.start(row) + column + (long) g * headDim;
      MemorySegment.copy(q.segment(), JAVA_FLOAT, 4 * from, queries, g * stride, headDim);
      Lanes.pad(queries, g * stride, headDim, stride);
      angles.rotate(queries, g * stride, last);
    }
    score(task);
    weigh(task);
    for (int g = 0; g < group; g++) {
      long to = out.start(row) + column + (long) g * headDim;
      MemorySegment.copy(sums, g * stride, out.segment(), JAVA_FLOAT, 4 * to, headDim);
    }
  }

  private void ensure(Task task) {
    queries = Lanes.room(queries, task.group * task.stride());
    sums = Lanes.room(sums, task.group * task.stride());
    decoded = Lanes.room(decoded, CHUNK * task.stride());
    if (scores.length < task.group * task.scoreStride()) {
      scores = new float[2 * task.group * task.scoreStride()]; // sequences grow
    }
  }

  /** Leaves the scaled product of each query and key in the scores. */
  private void score(Task task) {
    int stride = task.stride();
    int length = Lanes.padded(task.headDim());
    float scale = task.attend.attention().scale();
    for (int start = 0; start < task.positions(); start += CHUNK) {
      int count = Math.min(CHUNK, task.positions() - start);
      int layer = task.attend.layer();
      cache.keys(
          layer,
          task.blocks,
          task.first + start,
          count,
          task.kvHead,
          task.headDim(),
          decoded,
          stride);
      for (int key = 0; key < count; key += KEYS) {
        int keys = Math.min(KEYS, count - key);
        for (int g = 0; g < task.group; g++) {
          // keys behind the last are computed with and dropped
          VectorBlock.eightByOne(decoded, key * stride, queries, g * stride, stride, length, lanes);
          Lanes.fold(lanes, keys, results);
          int to = g * task.scoreStride() + start + key;
          for (int i = 0; i < keys; i++) {
            scores[to + i] = results[i] * scale;
          }
        }
      }
    }
  }

  /** Leaves the mean of the values, weighted by e^score, in the sums. */
  private void weigh(Task task) {
    int stride = task.stride();
    int length = Lanes.padded(task.headDim());
    Arrays.fill(sums, 0, task.group * stride, 0);
    float[] totals = new float[task.group];
    for (int g = 0; g < task.group; g++) {
      int at = g * task.scoreStride();
      totals[g] =
          VectorSoftmax.run(scores, at, task.positions(), task.attend.attention().softCap(), lanes);
    }
    for (int start = 0; start < task.positions(); start += CHUNK) {
      int count = Math.min(CHUNK, task.positions() - start);
      int layer = task.attend.layer();
      cache.values(
          layer,
          task.blocks,
          task.first + start,
          count,
          task.kvHead,
          task.headDim(),
          decoded,
          stride);
      for (int g = 0; g < task.group; g++) {
        int at = g * task.scoreStride() + start;
        VectorBlock.weigh(decoded, stride, count, scores, at, sums, g * stride, length);
      }
    }
    for (int g = 0; g < task.group; g++) {
      VectorSoftmax.divide(sums, g * stride, length, totals[g]);
    }
  }
}
