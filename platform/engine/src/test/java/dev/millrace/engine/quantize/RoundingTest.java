package dev.millrace.engine.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The three ways to round, by what they leave of an output. */
class RoundingTest {
  private static final int GROUP = 16;
  private static final float[][] WEIGHTS = RoundingSamples.weights(24, 96, 1);
  private static final float[][] INPUTS = RoundingSamples.inputs(400, 96, 2);

  /** Of the same kind, but not what is calibrated with. */
  private static final float[][] OTHERS = RoundingSamples.inputs(4_000, 96, 2);

  @ParameterizedTest
  @CsvSource({"4, true", "4, false", "8, true"})
  void theNearestIsAtMostHalfAStepAway(int bits, boolean symmetric) {
    var codes = NearestRounding.round(WEIGHTS, GROUP, bits, symmetric, FloatCodec.F16);
    float[] row = new float[96];
    for (int r = 0; r < WEIGHTS.length; r++) {
      codes.decodeRow(r, row);
      for (int i = 0; i < row.length; i++) {
        // the farthest of 4 symmetric bits lies half a step beyond its code; scales are rounded
        double bound = codes.scale(r, i / GROUP) * 0.51;
        assertEquals(WEIGHTS[r][i], row[i], bound, r + ", " + i);
      }
    }
  }

  @Test
  void eightBitsDoNotUseTheLowestCode() {
    float[][] weights = {{-1, 1, 0.5f, 0}};
    var codes = NearestRounding.round(weights, 4, 8, true, FloatCodec.F32);
    assertEquals(1, codes.code(0, 0));
    assertEquals(255, codes.code(0, 1));
    assertEquals(128, codes.code(0, 3));
  }

  @Test
  void weightsOfZeroAreCodesThatStandForZero() {
    for (boolean symmetric : new boolean[] {true, false}) {
      var codes = NearestRounding.round(new float[1][16], 16, 4, symmetric, FloatCodec.F16);
      assertEquals(0, codes.scale(0, 0));
      assertEquals(codes.zero(0, 0), codes.code(0, 7));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void gptqLeavesLessOfAnOutputThanTheNearest(boolean actOrder) {
    var gptq = new GptqRounding(GROUP, 4, 0.01, actOrder, FloatCodec.F16);
    var codes = gptq.round(WEIGHTS, gptq.inputs("m", RoundingSamples.gram(INPUTS)));
    var nearest = NearestRounding.round(WEIGHTS, GROUP, 4, true, FloatCodec.F16);
    float[] ones = RoundingSamples.ones(96);
    double error = RoundingSamples.error(WEIGHTS, codes, ones, OTHERS);
    double plain = RoundingSamples.error(WEIGHTS, nearest, ones, OTHERS);
    assertTrue(error < 0.5 * plain, error + " of " + plain);
  }

  @Test
  void gptqRoundsToTheNearestWhereInputsAreNotCorrelated() {
    double[][] diagonal = new double[96][96];
    for (int i = 0; i < 96; i++) {
      diagonal[i][i] = 1 + i;
    }
    var gptq = new GptqRounding(GROUP, 4, 0.01, true, FloatCodec.F16);
    var codes = gptq.round(WEIGHTS, gptq.inputs("m", diagonal));
    for (int r = 0; r < WEIGHTS.length; r++) {
      for (int i = 0; i < 96; i++) {
        var step = new Step(codes.scale(r, i / GROUP), codes.zero(r, i / GROUP));
        assertEquals(step.code(WEIGHTS[r][i], 4), codes.code(r, i), r + ", " + i);
      }
    }
  }

  @Test
  void inputsThatAreAlwaysZeroDoNoHarm() {
    double[][] gram = RoundingSamples.gram(INPUTS);
    for (int i = 0; i < 96; i++) {
      gram[5][i] = 0;
      gram[i][5] = 0;
    }
    var gptq = new GptqRounding(GROUP, 4, 0.01, true, FloatCodec.F16);
    var codes = gptq.round(WEIGHTS, gptq.inputs("m", gram));
    float[] row = new float[96];
    codes.decodeRow(0, row);
    assertEquals(WEIGHTS[0][5], row[5], codes.scale(0, 0));
  }

  @Test
  void inputsThatAreNoNumbersAreRefusedByName() {
    double[][] gram = RoundingSamples.gram(INPUTS);
    gram[3][3] = Double.NaN;
    var gptq = new GptqRounding(GROUP, 4, 0.01, true, FloatCodec.F16);
    var error = assertThrows(InferenceException.class, () -> gptq.inputs("layers.7.up", gram));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    assertTrue(error.toString().contains("layers.7.up"), error.toString());
  }

  @Test
  void awqLeavesLessOfAnOutputThanTheNearest() {
    var awq = new AwqRounding(GROUP, 4, FloatCodec.F16);
    var sample = RoundingSamples.sample(INPUTS);
    float[] ones = RoundingSamples.ones(96);
    float[] scales = awq.scales(List.<float[][]>of(WEIGHTS), sample);
    var nearest = NearestRounding.round(WEIGHTS, GROUP, 4, false, FloatCodec.F16);
    var scaled = awq.round(WEIGHTS, scales, sample, false);
    var narrowed = awq.round(WEIGHTS, scales, sample, true);
    double plain = RoundingSamples.error(WEIGHTS, nearest, ones, OTHERS);
    double less = RoundingSamples.error(WEIGHTS, scaled, scales, OTHERS);
    double least = RoundingSamples.error(WEIGHTS, narrowed, scales, OTHERS);
    assertTrue(less < 0.9 * plain, less + " of " + plain);
    assertTrue(least < less, least + " of " + less);
  }

  @Test
  void awqWithoutScalesOrNarrowingIsTheNearest() {
    var awq = new AwqRounding(GROUP, 4, FloatCodec.F16);
    float[] ones = RoundingSamples.ones(96);
    var codes = awq.round(WEIGHTS, ones, RoundingSamples.sample(INPUTS), false);
    var nearest = NearestRounding.round(WEIGHTS, GROUP, 4, false, FloatCodec.F16);
    for (int r = 0; r < WEIGHTS.length; r++) {
      for (int i = 0; i < 96; i++) {
        assertEquals(nearest.code(r, i), codes.code(r, i));
      }
    }
  }
}
