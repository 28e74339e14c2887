package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CounterRandomTest {
  private static final int DRAWS = 100_000;
  private static final int CELLS = 10;

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 42, -1, Long.MIN_VALUE})
  void theDrawsOfOneSeedAreUniform(long seed) {
    long[] counts = new long[1000];
    for (int i = 0; i < DRAWS; i++) {
      counts[cell(CounterRandom.uniform(seed, i), counts.length)]++;
    }
    ChiSquare.requireAgreement(counts, even(counts.length));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1000})
  void theDrawsOfOneIndexAreUniformOverSeeds(long index) {
    long[] counts = new long[1000];
    for (int seed = 0; seed < DRAWS; seed++) {
      counts[cell(CounterRandom.uniform(seed, index), counts.length)]++;
    }
    ChiSquare.requireAgreement(counts, even(counts.length));
  }

  @Test
  void drawsThatFollowOneAnotherAreIndependent() {
    long[] pairs = new long[CELLS * CELLS];
    for (int i = 0; i < DRAWS; i++) {
      pairs[pair(CounterRandom.uniform(7, i), CounterRandom.uniform(7, i + 1))]++;
    }
    ChiSquare.requireAgreement(pairs, even(pairs.length));
  }

  @Test
  void drawsOfNeighbouringSeedsAreIndependent() {
    long[] pairs = new long[CELLS * CELLS];
    for (int i = 0; i < DRAWS; i++) {
      long seed = i / 100;
      pairs[pair(CounterRandom.uniform(seed, i % 100), CounterRandom.uniform(seed + 1, i % 100))]++;
    }
    ChiSquare.requireAgreement(pairs, even(pairs.length));
  }

  @Test
  void aDrawOfTheNextSeedIsNotTheNextDrawOfThisOne() {
    long[] pairs = new long[CELLS * CELLS];
    for (int i = 0; i < DRAWS; i++) {
      long seed = i / 100;
      pairs[
          pair(
              CounterRandom.uniform(seed, i % 100 + 1),
              CounterRandom.uniform(seed + 1, i % 100))]++;
    }
    ChiSquare.requireAgreement(pairs, even(pairs.length));
  }

  @Test
  void everyDrawIsAtLeastZeroAndBelowOne() {
    for (int i = 0; i < DRAWS; i++) {
      double draw = CounterRandom.uniform(i * 0x5DEECE66DL, -i);
      assertTrue(draw >= 0 && draw < 1, () -> "a draw is " + draw);
    }
  }

  @Test
  void seedAndIndexAloneMakeADraw() {
    assertEquals(CounterRandom.uniform(3, 4), CounterRandom.uniform(3, 4));
  }

  private static int pair(double first, double second) {
    return CELLS * cell(first, CELLS) + cell(second, CELLS);
  }

  private static int cell(double draw, int cells) {
    return (int) (draw * cells);
  }

  private static double[] even(int cells) {
    double[] probabilities = new double[cells];
    Arrays.fill(probabilities, 1.0 / cells);
    return probabilities;
  }
}
