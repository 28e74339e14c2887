package dev.millrace.engine.sample;

import dev.millrace.engine.sample.SampledToken.Alternative;
import java.util.ArrayList;
import java.util.List;

/** Log-probabilities of a row of logits, as the model gives them. Any thread. */
public final class LogSoftmax {
  private final float[] logits;
  private final double logSum;

  /**
   * Of a row, which is not copied.
   *
   * @param logits [vocabulary], at least one
   */
  public LogSoftmax(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - largest);
    }
    this.logits = logits;
    this.logSum = largest + Math.log(sum);
  }

  /** The log-probability of a token. */
  public float of(int token) {
    return (float) (logits[token] - logSum);
  }

  /** A token with its log-probability, its rank and the likeliest others. */
  SampledToken rated(int token, int alternatives) {
    return new SampledToken(token, of(token), rank(token), top(alternatives));
  }

  /** 1 for the likeliest token; equals share the better rank. */
  private int rank(int token) {
    int rank = 1;
    for (float logit : logits) {
      if (logit > logits[token]) {
        rank++;
      }
    }
    return rank;
  }

  /** The likeliest tokens, best first; of equals, the lower id. */
  List<Alternative> top(int count) {
    int[] best = new int[Math.min(count, logits.length)];
    int size = 0;
    for (int token = 0; token < logits.length; token++) {
      int at = size;
      while (at > 0 && logits[token] > logits[best[at - 1]]) {
        at--;
      }
      if (at == best.length) {
        continue;
      }
      size = Math.min(size + 1, best.length);
      System.arraycopy(best, at, best, at + 1, size - at - 1);
      best[at] = token;
    }
    var top = new ArrayList<Alternative>(size);
    for (int i = 0; i < size; i++) {
      top.add(new Alternative(best[i], of(best[i])));
    }
    return top;
  }
}
