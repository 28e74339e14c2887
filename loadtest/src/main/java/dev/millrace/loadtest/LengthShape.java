package dev.millrace.loadtest;

import java.util.Locale;
import java.util.SplittableRandom;

/** How prompt and output lengths are spread round their means. */
public enum LengthShape {
  /** Every request alike: batches that run in lock-step lose nothing here. */
  UNIFORM {
    @Override
    int prompt(int mean, SplittableRandom random) {
      return mean;
    }

    @Override
    int output(int mean, SplittableRandom random) {
      return mean;
    }
  },

  /**
   * Conversation traffic: the length distribution of the Azure LLM inference trace of 2023 ("conv",
   * 19,366 requests, CC-BY 4.0), scaled to the asked means. Prompt and output lengths are drawn
   * independently, as the trace shows next to no correlation.
   */
  CHAT {
    @Override
    int prompt(int mean, SplittableRandom random) {
      return draw(PROMPT_QUANTILES, mean, random);
    }

    @Override
    int output(int mean, SplittableRandom random) {
      return draw(OUTPUT_QUANTILES, mean, random);
    }
  },

  /**
   * A bounded Pareto distribution, index 1.5, its longest 60 times its shortest: most lengths are
   * under half the mean, and a few are twenty times it.
   */
  HEAVY_TAIL {
    @Override
    int prompt(int mean, SplittableRandom random) {
      return pareto(mean, random);
    }

    @Override
    int output(int mean, SplittableRandom random) {
      return pareto(mean, random);
    }
  };

  private static final double TAIL_INDEX = 1.5;
  private static final double TAIL_SPREAD = 60;

  /** The levels of the two tables below; between them the distribution is taken as linear. */
  private static final double[] LEVELS = {0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};

  private static final double[] PROMPT_QUANTILES = {
    2, 181, 207, 396, 1020, 1189, 2735, 4083, 4142, 14050
  };
  private static final double[] OUTPUT_QUANTILES = {7, 41, 54, 85, 129, 395, 424, 451, 601, 1000};

  abstract int prompt(int mean, SplittableRandom random);

  abstract int output(int mean, SplittableRandom random);

  private static int draw(double[] quantiles, int mean, SplittableRandom random) {
    double level = random.nextDouble();
    int upper = 1;
    while (LEVELS[upper] < level) {
      upper++;
    }
    double share = (level - LEVELS[upper - 1]) / (LEVELS[upper] - LEVELS[upper - 1]);
    double value = quantiles[upper - 1] + share * (quantiles[upper] - quantiles[upper - 1]);
    return Math.max(1, (int) Math.round(value * mean / mean(quantiles)));
  }

  /** By inversion of the distribution function; its mean follows from the same parameters. */
  private static int pareto(int mean, SplittableRandom random) {
    double cut = 1 - Math.pow(TAIL_SPREAD, -TAIL_INDEX);
    double value = Math.pow(1 - random.nextDouble() * cut, -1 / TAIL_INDEX);
    double expected =
        TAIL_INDEX / (TAIL_INDEX - 1) * (1 - Math.pow(TAIL_SPREAD, 1 - TAIL_INDEX)) / cut;
    return Math.max(1, (int) Math.round(value * mean / expected));
  }

  /** As it is written on a command line and in a report. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static double mean(double[] quantiles) {
    double sum = 0;
    for (int i = 1; i < quantiles.length; i++) {
      sum += (LEVELS[i] - LEVELS[i - 1]) * (quantiles[i] + quantiles[i - 1]) / 2;
    }
    return sum;
  }
}
