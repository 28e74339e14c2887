package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class CandidatesTest {
  /** Further from a border than any error of summing, as a part of everything. */
  private static final double CLEAR = 1e-9;

  @RepeatedTest(20)
  void topPKeepsTheWholeNucleusAndNoMore(RepetitionInfo repetition) {
    var random = new Random(repetition.getCurrentRepetition());
    for (int i = 0; i < 50; i++) {
      requireSameDraws(logits(random), Sampling.cuts(temperature(random), 0, portion(random), 0));
    }
  }

  @RepeatedTest(20)
  void allCutsTogetherKeepWhatTheyWouldKeepOneAfterTheOther(RepetitionInfo repetition) {
    var random = new Random(100 + repetition.getCurrentRepetition());
    for (int i = 0; i < 50; i++) {
      float[] logits = logits(random);
      int topK = random.nextBoolean() ? 0 : 1 + random.nextInt(logits.length + 2);
      double topP = random.nextInt(3) == 0 ? 1 : portion(random);
      double minP = random.nextInt(3) == 0 ? 0 : Math.pow(random.nextDouble(), 4);
      requireSameDraws(logits, Sampling.cuts(temperature(random), topK, topP, minP));
    }
  }

  @Test
  void manyTokensBelowThePrefilterStillCountForTheNucleus() {
    // one token of 86 %, one of 4.4 %, the rest each below (1 - 0.9) / 1000
    float[] logits = new float[1000];
    for (int i = 2; i < logits.length; i++) {
      logits[i] = (float) Math.log(0.096 / 998);
    }
    logits[0] = (float) Math.log(0.86);
    logits[1] = (float) Math.log(0.044);
    var candidates = new Candidates(logits.length);
    candidates.fill(logits, Sampling.cuts(1, 0, 0.9, 0));
    assertEquals(1, candidates.draw(Math.nextDown(1.0)));
  }

  @Test
  void ofEqualTokensTheLowerIdsAreKept() {
    var candidates = new Candidates(6);
    candidates.fill(new float[] {0, 1, 0.0f, 1, -0.0f, 1}, Sampling.cuts(1, 2, 1, 0));
    assertEquals(1, candidates.draw(0));
    assertEquals(3, candidates.draw(Math.nextDown(1.0)));
    candidates.fill(new float[] {-0.0f, 0, 0, 0, 0, 0}, Sampling.cuts(1, 1, 1, 0));
    assertEquals(0, candidates.draw(0.5));
  }

  @Test
  void aVeryLowTemperatureLeavesTheLikeliest() {
    var candidates = new Candidates(3);
    candidates.fill(new float[] {1, 3, 2}, Sampling.cuts(Double.MIN_NORMAL, 0, 1, 0));
    assertEquals(1, candidates.draw(0.999));
  }

  @Test
  void aTinyTopPLeavesTheLikeliest() {
    var candidates = new Candidates(3);
    candidates.fill(new float[] {1, 3, 2}, Sampling.cuts(5, 0, Double.MIN_VALUE, 0));
    assertEquals(1, candidates.draw(0.999));
  }

  /** Draws in the middle of each token's share, and at its very end, must give that token. */
  private static void requireSameDraws(float[] logits, SamplingParams params) {
    double[] expected = WarpedDistribution.of(logits, params);
    if (isNearABorder(logits, params, expected)) {
      return;
    }
    var candidates = new Candidates(logits.length);
    candidates.fill(logits, params);
    double before = 0;
    int last = -1;
    for (int token : WarpedDistribution.ranked(expected)) {
      if (expected[token] > CLEAR) {
        double middle = before + expected[token] / 2;
        assertEquals(token, candidates.draw(middle), () -> params + " at " + middle);
        last = token;
      }
      before += expected[token];
    }
    if (params.topP() < 1 - CLEAR || params.minP() > CLEAR) {
      assertEquals(last, candidates.draw(Math.nextDown(1.0)), () -> params + " at the end");
    }
  }

  /** Whether rounding may decide about a token: such cases say nothing. */
  private static boolean isNearABorder(float[] logits, SamplingParams params, double[] expected) {
    var wider =
        Sampling.cuts(
            params.temperature(),
            params.topK(),
            Math.min(1, params.topP() + CLEAR),
            params.minP() * (1 - CLEAR));
    var tighter =
        Sampling.cuts(
            params.temperature(),
            params.topK(),
            Math.max(Double.MIN_VALUE, params.topP() - CLEAR),
            Math.min(1, params.minP() * (1 + CLEAR)));
    return count(WarpedDistribution.of(logits, wider)) != count(expected)
        || count(WarpedDistribution.of(logits, tighter)) != count(expected);
  }

  private static int count(double[] probabilities) {
    int count = 0;
    for (double probability : probabilities) {
      count += probability > 0 ? 1 : 0;
    }
    return count;
  }

  private static float[] logits(RandomGenerator random) {
    float[] logits = new float[1 + random.nextInt(300)];
    double scale = Math.exp(random.nextDouble(-4, 3.5));
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (random.nextGaussian() * scale);
    }
    if (random.nextInt(4) == 0) {
      logits[random.nextInt(logits.length)] += 10 * (float) scale;
    }
    return logits;
  }

  private static double temperature(RandomGenerator random) {
    return Math.exp(random.nextDouble(-2, 1.5));
  }

  private static double portion(RandomGenerator random) {
    return random.nextDouble(0.01, 0.999);
  }
}
