package dev.millrace.testkit;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.tensor.Rope;
import dev.millrace.testkit.AttentionContract.Case;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Attention in F64 over contiguous keys, as the formula stands. */
final class PlainAttention {
  private PlainAttention() {}

  /**
   * The output for the last token of a prompt.
   *
   * @param table row t holds the query, key and value of token t, side by side
   */
  static double[] last(MemoryMatrix table, int[] prompt, Case shape, KvDtype dtype) {
    var attention = shape.attention();
    int d = attention.headDim();
    int last = prompt.length - 1;
    int first = attention.window() == 0 ? 0 : Math.max(0, last - attention.window() + 1);
    double[] out = new double[shape.heads() * d];
    for (int head = 0; head < shape.heads(); head++) {
      int kvHead = head / (shape.heads() / shape.kvHeads());
      double[] query = head(table.row(prompt[last]), head, d, attention.rope(), last);
      double total = 0;
      for (int t = first; t <= last; t++) {
        float[] row = table.row(prompt[t]);
        int valueHead = shape.heads() + shape.kvHeads() + kvHead;
        double[] key = stored(head(row, shape.heads() + kvHead, d, attention.rope(), t), dtype);
        double[] value = stored(head(row, valueHead, d, null, t), dtype);
        double score = 0;
        for (int i = 0; i < d; i++) {
          score += query[i] * key[i] * attention.scale();
        }
        if (attention.softCap() > 0) {
          score = attention.softCap() * Math.tanh(score / attention.softCap());
        }
        double weight = Math.exp(score);
        total += weight;
        for (int i = 0; i < d; i++) {
          out[head * d + i] += weight * value[i];
        }
      }
      for (int i = 0; i < d; i++) {
        out[head * d + i] /= total;
      }
    }
    return out;
  }

  /** What is left of numbers that were stored. */
  private static double[] stored(double[] numbers, KvDtype dtype) {
    float[] floats = new float[numbers.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) numbers[i];
    }
    var memory = MemorySegment.ofArray(new byte[(int) dtype.headBytes(floats.length)]);
    dtype.encode(floats, floats.length, memory, 0);
    dtype.decode(memory, 0, floats, floats.length);
    return OpsInDouble.widen(floats);
  }

  private static double[] head(float[] row, int index, int d, @Nullable Rope rope, int position) {
    double[] x = new double[d];
    for (int i = 0; i < d; i++) {
      x[i] = row[index * d + i];
    }
    float[] frequencies = rope == null ? new float[0] : rope.inverseFrequencies();
    for (int i = 0; i < frequencies.length && rope != null; i++) {
      int a = rope.interleaved() ? 2 * i : i;
      int b = rope.interleaved() ? 2 * i + 1 : i + frequencies.length;
      double angle = (double) position * frequencies[i];
      double cos = Math.cos(angle) * rope.attentionFactor();
      double sin = Math.sin(angle) * rope.attentionFactor();
      double turned = x[a] * cos - x[b] * sin;
      x[b] = x[b] * cos + x[a] * sin;
      x[a] = turned;
    }
    return x;
  }
}
