package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
  private static final float NO = Float.NEGATIVE_INFINITY;
  private static final SamplingParams GREEDY = SamplingParams.greedy();
  private static final SamplingParams WARM = Sampling.cuts(1, 0, 1, 0);

  @Test
  void greedyTakesTheLikeliest() {
    assertEquals(2, choose(GREEDY, Set.of(), 1, -4, 7, 6.9f));
  }

  @Test
  void greedyTakesTheLowestOfEqualIds() {
    assertEquals(1, choose(GREEDY, Set.of(), 1, 7, 3, 7, 7));
    assertEquals(0, choose(GREEDY, Set.of(), -0.0f, 0, NO));
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void aRowThatIsNotNumbersFailsAndNamesTheToken(float bad) {
    for (var params : new SamplingParams[] {GREEDY, WARM}) {
      var e =
          assertThrows(
              InferenceException.class, () -> choose(params, Set.of(), 1, NO, bad, Float.NaN));
      assertEquals(ErrorCode.NUMERICAL_FAILURE, e.code());
      assertEquals("the logit of token 2 is " + bad, e.getMessage());
    }
  }

  @Test
  void aMinusInfinityOfTheModelIsNeverChosen() {
    for (int seed = 0; seed < 200; seed++) {
      int token = choose(Sampling.cuts(100, 0, 1, 0, seed), Set.of(), NO, 1, NO, 2, NO);
      assertTrue(token == 1 || token == 3, () -> "token " + token);
    }
  }

  @Test
  void bannedTokensAreNeverChosen() {
    assertEquals(3, choose(GREEDY, Set.of(0, 2), 9, 1, 8, 7));
    for (int seed = 0; seed < 200; seed++) {
      int token = choose(Sampling.cuts(100, 0, 1, 0, seed), Set.of(0, 2), 9, 1, 8, 7);
      assertTrue(token == 1 || token == 3, () -> "token " + token);
    }
  }

  @Test
  void aBiasDoesNotLiftABan() {
    var params = Sampling.penalties(1, 0, 0, Map.of(0, 100.0));
    assertEquals(1, choose(params, Set.of(0), 9, 1));
  }

  @Test
  void aRowThatLeavesNothingToChooseFails() {
    for (var params : new SamplingParams[] {GREEDY, WARM, Sampling.cuts(1, 3, 0.9, 0.1)}) {
      var allBanned =
          assertThrows(InferenceException.class, () -> choose(params, Set.of(0, 1), 9, 1));
      assertEquals(ErrorCode.NUMERICAL_FAILURE, allBanned.code());
      var allInfinite =
          assertThrows(InferenceException.class, () -> choose(params, Set.of(), NO, NO));
      assertEquals(ErrorCode.NUMERICAL_FAILURE, allInfinite.code());
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1})
  void penaltiesThatMakeALogitInfiniteFail(double temperature) {
    var params = new SamplingParams(temperature, 0, 1, 0, Double.MIN_NORMAL, 0, 0, Map.of(), 0);
    var e = assertThrows(InferenceException.class, () -> choose(params, Set.of(), 3, 4, 5));
    assertEquals(ErrorCode.NUMERICAL_FAILURE, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains("penalties"), e.getMessage());
  }

  @Test
  void aDrawFollowsFromSeedAndPlaceInTheAnswerAlone() {
    var first = new Sampler(64);
    var second = new Sampler(64);
    var sequence = Sampling.prompt(1, 2, 3);
    var other = Sampling.prompt(5);
    for (int i = 0; i < 50; i++) {
      var params = Sampling.cuts(1, 0, 1, 0, 99);
      int token = first.sample(new float[64], params, sequence, Set.of(), -1).id();
      second.sample(new float[64], WARM, other, Set.of(), -1); // a neighbour
      int again = second.sample(new float[64], params, other, Set.of(), 3).id();
      assertEquals(token, again);
      sequence.append(token);
      other.append(0);
    }
  }

  @Test
  void seedsAndPlacesDiffer() {
    var sampler = new Sampler(1000);
    var sequence = Sampling.prompt(1);
    int here = sampler.sample(new float[1000], WARM, sequence, Set.of(), -1).id();
    var seeded = Sampling.cuts(1, 0, 1, 0, 1);
    assertNotEquals(here, sampler.sample(new float[1000], seeded, sequence, Set.of(), -1).id());
    sequence.append(0);
    assertNotEquals(here, sampler.sample(new float[1000], WARM, sequence, Set.of(), -1).id());
  }

  private static int choose(SamplingParams params, Set<Integer> banned, float... logits) {
    return new Sampler(logits.length).sample(logits, params, Sampling.prompt(0), banned, -1).id();
  }
}
