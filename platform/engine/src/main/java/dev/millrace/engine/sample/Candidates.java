package dev.millrace.engine.sample;

import java.util.Arrays;

/**
 * The tokens a row may still yield, likeliest first, with their probabilities. Reused from row to
 * row.
 */
final class Candidates {
  /** Of each token {@code e^((logit - largest) / temperature)}. */
  private final double[] weights;

  private final long[] ranked;
  private final double[] probabilities;
  private int size;

  Candidates(int vocabulary) {
    weights = new double[vocabulary];
    ranked = new long[vocabulary];
    probabilities = new double[vocabulary];
  }

  /** Fills in the distribution after temperature and cuts. The temperature is above 0. */
  void fill(float[] logits, SamplingParams params) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (int token = 0; token < logits.length; token++) {
      weights[token] = Math.exp((logits[token] - largest) / params.temperature());
      sum += weights[token];
    }
    // whatever is below this can be in no cut: together such tokens weigh less than 1 − top_p
    double floor = params.topK() > 0 ? 0 : (1 - params.topP()) * sum / logits.length;
    rank(logits, floor);
    cut(params, sum);
  }

  /** How many tokens are left. */
  int size() {
    return size;
  }

  /** The token at which the summed probabilities pass {@code uniform}, which is in [0, 1). */
  int draw(double uniform) {
    double total = 0;
    for (int i = 0; i < size; i++) {
      total += probabilities[i];
    }
    double left = uniform * total;
    for (int i = 0; i < size - 1; i++) {
      left -= probabilities[i];
      if (left < 0) {
        return token(i);
      }
    }
    return token(size - 1);
  }

  private void rank(float[] logits, double floor) {
    size = 0;
    for (int token = 0; token < logits.length; token++) {
      if (weights[token] >= floor && logits[token] != Float.NEGATIVE_INFINITY) {
        // order: descending logit, then ascending id; adding 0 makes −0 equal to 0
        ranked[size++] = ((long) ~sortable(logits[token] + 0f) << 32) | token;
      }
    }
    Arrays.sort(ranked, 0, size);
    for (int i = 0; i < size; i++) {
      probabilities[i] = weights[token(i)];
    }
  }

  /**
   * Drops what is not to be drawn.
   *
   * @param sum of all tokens, also of those below the floor
   */
  private void cut(SamplingParams params, double sum) {
    double whole = sum;
    if (params.topK() > 0) {
      size = Math.min(size, params.topK());
      whole = sumOf(size);
    }
    if (params.topP() < 1) {
      double enough = params.topP() * whole;
      double reached = 0;
      int kept = 0;
      while (kept < size && reached < enough) {
        reached += probabilities[kept++];
      }
      size = Math.max(1, kept);
    }
    double least = params.minP() * probabilities[0];
    while (size > 1 && probabilities[size - 1] < least) {
      size--;
    }
  }

  private double sumOf(int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += probabilities[i];
    }
    return sum;
  }

  private int token(int index) {
    return (int) ranked[index];
  }

  /** An int that orders like the float. */
  private static int sortable(float value) {
    int bits = Float.floatToIntBits(value);
    return bits < 0 ? bits ^ 0x7fffffff : bits;
  }
}
