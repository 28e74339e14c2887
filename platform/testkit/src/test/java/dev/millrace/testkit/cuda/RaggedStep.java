package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;

/**
 * A step over several sequences, each with a past in the cache and some rows of its own; then a row
 * of padding.
 *
 * @param lengths positions of each sequence, its rows of the step included
 * @param rows of each sequence in the step
 */
record RaggedStep(int[] lengths, int[] rows) {
  int count() {
    int count = 1;
    for (int n : rows) {
      count += n;
    }
    return count;
  }

  int[] positions() {
    int[] positions = new int[count()];
    int at = 0;
    for (int s = 0; s < rows.length; s++) {
      for (int i = 0; i < rows[s]; i++) {
        positions[at++] = lengths[s] - rows[s] + i;
      }
    }
    positions[at] = -1;
    return positions;
  }

  int[] sequences() {
    int[] sequences = new int[count()];
    int at = 0;
    for (int s = 0; s < rows.length; s++) {
      for (int i = 0; i < rows[s]; i++) {
        sequences[at++] = s;
      }
    }
    sequences[at] = 1 << 30; // padding belongs to nobody
    return sequences;
  }

  MemorySegment positionsOnDevice() {
    return DeviceArrays.of(positions());
  }

  MemorySegment sequencesOnDevice() {
    return DeviceArrays.of(sequences());
  }

  /** A cache in which every position of every sequence holds random numbers. */
  PagedCache cache(KvDtype type, int kvHeads, int headDim, int blockSize, RandomGenerator random) {
    var cache = new PagedCache(type, kvHeads, headDim, blockSize, lengths);
    for (int s = 0; s < lengths.length; s++) {
      for (int head = 0; head < kvHeads; head++) {
        for (int position = 0; position < lengths[s]; position++) {
          cache.put(s, head, position, numbers(headDim, random), numbers(headDim, random));
        }
      }
    }
    return cache;
  }

  /** What attention gives for each row, in F64. */
  double[][] attended(DeviceRows queries, PagedCache cache, Shape shape) {
    int dim = cache.headDim;
    double[][] out = new double[count()][shape.heads * dim];
    int[] positions = positions();
    int[] sequences = sequences();
    for (int row = 0; row < positions.length - 1; row++) {
      double[] query = queries.row(row);
      for (int head = 0; head < shape.heads; head++) {
        int kvHead = head / (shape.heads / cache.kvHeads);
        attend(query, head * dim, cache, sequences[row], kvHead, positions[row], shape, out[row]);
      }
    }
    return out;
  }

  /** Heads and the mathematics of scores. */
  record Shape(int heads, float scale, int window, float softCap) {}

  private static void attend(
      double[] query,
      int column,
      PagedCache cache,
      int sequence,
      int kvHead,
      int last,
      Shape shape,
      double[] out) {
    int first = shape.window == 0 ? 0 : Math.max(0, last - shape.window + 1);
    double[] weights = new double[last + 1];
    double largest = Double.NEGATIVE_INFINITY;
    for (int t = first; t <= last; t++) {
      double[] key = cache.key(sequence, kvHead, t);
      double score = 0;
      for (int i = 0; i < key.length; i++) {
        score += query[column + i] * key[i];
      }
      score *= shape.scale;
      weights[t] = shape.softCap > 0 ? shape.softCap * Math.tanh(score / shape.softCap) : score;
      largest = Math.max(largest, weights[t]);
    }
    double total = 0;
    for (int t = first; t <= last; t++) {
      weights[t] = Math.exp(weights[t] - largest);
      total += weights[t];
    }
    for (int t = first; t <= last; t++) {
      double[] value = cache.value(sequence, kvHead, t);
      for (int i = 0; i < value.length; i++) {
        out[column + i] += weights[t] / total * value[i];
      }
    }
  }

  private static float[] numbers(int count, RandomGenerator random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }
}
