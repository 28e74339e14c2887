package dev.millrace.engine.sample;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * What tokens should be drawn how often, worked out step by step as transformers' logits warpers
 * do: each cut sees a softmax over what the one before it left.
 */
final class WarpedDistribution {
  private final double[] scores;

  private WarpedDistribution(float[] logits, double temperature) {
    scores = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      scores[i] = logits[i] / temperature;
    }
  }

  /** The probability of each token. */
  static double[] of(float[] logits, SamplingParams params) {
    var distribution = new WarpedDistribution(logits, params.temperature());
    if (params.topK() > 0) {
      distribution.topK(params.topK());
    }
    if (params.topP() < 1) {
      distribution.topP(params.topP());
    }
    if (params.minP() > 0) {
      distribution.minP(params.minP());
    }
    return distribution.softmax();
  }

  /** Tokens from the likeliest down; of equals, the lower id first. */
  static int[] ranked(double[] scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -scores[i]).thenComparing(i -> i))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private void topK(int k) {
    int[] ranked = ranked(scores);
    for (int i = k; i < ranked.length; i++) {
      scores[ranked[i]] = Double.NEGATIVE_INFINITY;
    }
  }

  /** From the unlikeliest up, drops what fits into 1 − p. */
  private void topP(double p) {
    double[] probabilities = softmax();
    int[] ranked = ranked(probabilities);
    double tail = 0;
    for (int i = ranked.length - 1; i > 0; i--) {
      tail += probabilities[ranked[i]];
      if (tail > 1 - p) {
        break;
      }
      scores[ranked[i]] = Double.NEGATIVE_INFINITY;
    }
  }

  private void minP(double p) {
    double[] probabilities = softmax();
    double least = p * Arrays.stream(probabilities).max().orElseThrow();
    for (int i = 0; i < scores.length; i++) {
      if (probabilities[i] < least) {
        scores[i] = Double.NEGATIVE_INFINITY;
      }
    }
  }

  private double[] softmax() {
    double largest = Arrays.stream(scores).max().orElseThrow();
    double[] probabilities = Arrays.stream(scores).map(s -> Math.exp(s - largest)).toArray();
    double sum = Arrays.stream(probabilities).sum();
    return Arrays.stream(probabilities).map(p -> p / sum).toArray();
  }
}
