package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.sample.SampledToken.Alternative;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LogprobsTest {
  private static final float[] LOGITS = {1, 3, 2, 3, -1, 0};

  @Test
  void theyAreOfTheModelBeforePenaltiesBansTemperatureAndCuts() {
    var params = new SamplingParams(2, 2, 0.5, 0.5, 3, 1, 1, Map.of(4, 100.0), 1);
    var token = sample(LOGITS, params, Set.of(1), LOGITS.length);
    assertEquals(4, token.id());
    assertEquals(logprob(LOGITS, 4), token.logprob(), 1e-6);
    assertEquals(1, token.top().getFirst().id());
    for (var alternative : token.top()) {
      assertEquals(logprob(LOGITS, alternative.id()), alternative.logprob(), 1e-6);
    }
  }

  @Test
  void theirProbabilitiesAddUpToOne() {
    var random = new Random(1);
    for (int i = 0; i < 100; i++) {
      float[] logits = new float[1 + random.nextInt(500)];
      double scale = Math.exp(random.nextDouble(-4, 4));
      for (int j = 0; j < logits.length; j++) {
        logits[j] = (float) (scale * random.nextGaussian() + 100);
      }
      var all = sample(logits, SamplingParams.greedy(), Set.of(), logits.length).top();
      assertEquals(logits.length, all.size());
      assertEquals(1, all.stream().mapToDouble(a -> Math.exp(a.logprob())).sum(), 1e-5);
    }
  }

  @Test
  void theLikeliestComeFirstAndOfEqualsTheLowerId() {
    assertEquals(List.of(1, 3, 2, 0, 5, 4), ids(6));
    for (int count = 0; count <= 6; count++) {
      assertEquals(List.of(1, 3, 2, 0, 5, 4).subList(0, count), ids(count));
    }
  }

  @Test
  void ofManyEqualTokensTheLowestIdsAreReported() {
    var random = new Random(2);
    for (int i = 0; i < 100; i++) {
      float[] logits = new float[200];
      for (int j = 0; j < logits.length; j++) {
        logits[j] = random.nextInt(8);
      }
      var top = sample(logits, SamplingParams.greedy(), Set.of(), 20).top();
      double[] scores = new double[200];
      for (int j = 0; j < scores.length; j++) {
        scores[j] = logits[j];
      }
      int[] ranked = WarpedDistribution.ranked(scores);
      for (int j = 0; j < 20; j++) {
        assertEquals(ranked[j], top.get(j).id());
      }
    }
  }

  @Test
  void noMoreAreReportedThanThereAreTokens() {
    assertEquals(6, ids(20).size());
  }

  @Test
  void withoutAlternativesTheTokensOwnIsStillGiven() {
    var token = sample(LOGITS, SamplingParams.greedy(), Set.of(), 0);
    assertEquals(List.of(), token.top());
    assertEquals(logprob(LOGITS, 1), token.logprob(), 1e-6);
  }

  @Test
  void theyAreNotWorkedOutUnlessAskedFor() {
    var token = sample(LOGITS, SamplingParams.greedy(), Set.of(), -1);
    assertTrue(Float.isNaN(token.logprob()));
    assertEquals(List.of(), token.top());
  }

  private static List<Integer> ids(int count) {
    return sample(LOGITS, SamplingParams.greedy(), Set.of(), count).top().stream()
        .map(Alternative::id)
        .toList();
  }

  private static SampledToken sample(
      float[] logits, SamplingParams params, Set<Integer> banned, int logprobs) {
    return new Sampler(logits.length)
        .sample(logits.clone(), params, Sampling.prompt(0), banned, logprobs);
  }

  private static double logprob(float[] logits, int token) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return logits[token] - Math.log(sum);
  }
}
