package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Pearson's test of counts against a distribution. With fixed seeds it gives one answer for ever.
 */
final class ChiSquare {
  /** Of the normal distribution: a right sampler is above this once in 30,000 tests. */
  private static final double QUANTILE = 4;

  /** Cells that expect less are lumped together. */
  private static final double LEAST = 5;

  private ChiSquare() {}

  /** Fails if the counts cannot be draws from these probabilities, which add up to 1. */
  static void requireAgreement(long[] counts, double[] probabilities) {
    long draws = 0;
    for (long count : counts) {
      draws += count;
    }
    double statistic = 0;
    int cells = 0;
    double restExpected = 0;
    long restCount = 0;
    for (int i = 0; i < counts.length; i++) {
      double expected = draws * probabilities[i];
      if (expected == 0) {
        assertEquals(0, counts[i], "token " + i + " has no probability, yet it was drawn");
      } else if (expected < LEAST) {
        restExpected += expected;
        restCount += counts[i];
      } else {
        statistic += term(counts[i], expected);
        cells++;
      }
    }
    if (restExpected >= LEAST) {
      statistic += term(restCount, restExpected);
      cells++;
    }
    if (cells > 1) {
      double limit = limit(cells - 1);
      assertTrue(statistic < limit, "chi-square " + statistic + " is above " + limit);
    }
  }

  private static double term(long count, double expected) {
    return (count - expected) * (count - expected) / expected;
  }

  /** Wilson and Hilferty's approximation of the quantile. */
  private static double limit(int freedom) {
    double spread = 2.0 / (9.0 * freedom);
    return freedom * Math.pow(1 - spread + QUANTILE * Math.sqrt(spread), 3);
  }
}
