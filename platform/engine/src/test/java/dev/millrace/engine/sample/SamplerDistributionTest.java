package dev.millrace.engine.sample;

import dev.millrace.engine.schedule.Sequence;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How often tokens are drawn, against a distribution worked out on another way. */
class SamplerDistributionTest {
  private static final int DRAWS = 20_000;
  private static final int VOCABULARY = 24;

  private final Sampler sampler = new Sampler(VOCABULARY);
  private final float[] model = model();

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          1.0, 0,  1.0,  0.0
          0.5, 0,  1.0,  0.0
          2.5, 0,  1.0,  0.0
          1.0, 7,  1.0,  0.0
          1.0, 1,  1.0,  0.0
          1.0, 99, 1.0,  0.0
          1.0, 0,  0.7,  0.0
          1.3, 0,  0.95, 0.0
          1.0, 0,  1.0,  0.1
          1.0, 0,  1.0,  1.0
          0.8, 12, 0.9,  0.0
          1.5, 12, 1.0,  0.2
          1.5, 0,  0.9,  0.2
          1.2, 15, 0.8,  0.05
          2.0, 10, 0.5,  0.3
          """)
  void oneDrawOfEachOfManySeedsAgrees(double temperature, int topK, double topP, double minP) {
    var sequence = Sampling.prompt(0);
    long[] counts = new long[VOCABULARY];
    for (int seed = 0; seed < DRAWS; seed++) {
      counts[draw(Sampling.cuts(temperature, topK, topP, minP, seed), sequence)]++;
    }
    var params = Sampling.cuts(temperature, topK, topP, minP);
    ChiSquare.requireAgreement(counts, WarpedDistribution.of(model, params));
  }

  @Test
  void manyDrawsOfOneSeedAgree() {
    var params = Sampling.cuts(1.1, 20, 0.9, 0.02, 17);
    var sequence = Sampling.prompt(0);
    long[] counts = new long[VOCABULARY];
    for (int i = 0; i < DRAWS; i++) {
      int token = draw(params, sequence);
      sequence.append(token);
      counts[token]++;
    }
    ChiSquare.requireAgreement(counts, WarpedDistribution.of(model, params));
  }

  @Test
  void penaltiesAndBiasComeBeforeTemperatureAndCuts() {
    var sequence = Sampling.answer(Sampling.prompt(0, 1, 2), 2, 2, 5);
    long[] counts = new long[VOCABULARY];
    for (int seed = 0; seed < DRAWS; seed++) {
      counts[draw(penalised(seed), sequence)]++;
    }
    float[] changed = model.clone();
    for (int seen : new int[] {0, 1, 2, 5}) {
      changed[seen] *= changed[seen] > 0 ? 1 / 1.3f : 1.3f;
    }
    changed[2] -= 0.4f + 2 * 0.3f;
    changed[5] -= 0.4f + 0.3f;
    changed[9] += 2;
    ChiSquare.requireAgreement(counts, WarpedDistribution.of(changed, penalised(0)));
  }

  @Test
  void bannedTokensLeaveTheirShareToTheOthers() {
    var banned = Set.of(0, 3, 23);
    var params = Sampling.cuts(1, 10, 0.9, 0);
    long[] counts = new long[VOCABULARY];
    for (int seed = 0; seed < DRAWS; seed++) {
      var seeded = Sampling.cuts(1, 10, 0.9, 0, seed);
      counts[sampler.sample(model.clone(), seeded, Sampling.prompt(0), banned, -1).id()]++;
    }
    float[] allowed = model.clone();
    banned.forEach(token -> allowed[token] = Float.NEGATIVE_INFINITY);
    ChiSquare.requireAgreement(counts, WarpedDistribution.of(allowed, params));
  }

  private static SamplingParams penalised(long seed) {
    return new SamplingParams(1.4, 12, 0.85, 0.05, 1.3, 0.4, 0.3, Map.of(9, 2.0), seed);
  }

  private int draw(SamplingParams params, Sequence sequence) {
    return sampler.sample(model.clone(), params, sequence, Sampling.NONE_BANNED, -1).id();
  }

  private static float[] model() {
    var random = new Random(5);
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      logits[i] = (float) (1.5 * random.nextGaussian());
    }
    return logits;
  }
}
