package dev.millrace.engine.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The order in which vector kernels add: always 16 sums side by side, number i going to sum i mod
 * 16, and then the halves of those, and the halves of that. A machine with narrower vectors goes
 * over the numbers several times, taking some of the 16 in each pass. So a result is the same on
 * every machine.
 */
final class Lanes {
  /** Sums side by side. */
  static final int WIDTH = 16;

  static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.length() > WIDTH
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;

  /** Numbers of one hardware vector; divides {@link #WIDTH}. */
  static final int STEP = SPECIES.length();

  private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;

  private Lanes() {}

  /** The next multiple of {@link #WIDTH}: kernels take rows that are filled up with zeros. */
  static int padded(int count) {
    return (count + WIDTH - 1) / WIDTH * WIDTH;
  }

  /** Distance of rows in scratch memory: room for whole runs of INT4. */
  static int stride(int count) {
    return (count + 31) / 32 * 32;
  }

  /** The array, or a longer one whose contents are undefined. */
  static float[] room(float[] held, int count) {
    return held.length >= count ? held : new float[count];
  }

  /** Adds up the 16 sums of each of {@code count} results. */
  static void fold(float[] lanes, int count, float[] results) {
    for (int i = 0; i < count; i++) {
      int at = i * WIDTH;
      var even = FloatVector.fromArray(FOUR, lanes, at);
      var odd = FloatVector.fromArray(FOUR, lanes, at + 4);
      even = even.add(FloatVector.fromArray(FOUR, lanes, at + 8));
      odd = odd.add(FloatVector.fromArray(FOUR, lanes, at + 12));
      even.add(odd).intoArray(lanes, at);
      results[i] = (lanes[at] + lanes[at + 2]) + (lanes[at + 1] + lanes[at + 3]);
    }
  }

  /**
   * Sum of numbers.
   *
   * @param count a multiple of 16
   */
  static float sum(float[] numbers, int start, int count, float[] lanes) {
    for (int pass = 0; pass < WIDTH; pass += STEP) {
      var sum = FloatVector.zero(SPECIES);
      for (int i = pass; i < count; i += WIDTH) {
        sum = sum.add(FloatVector.fromArray(SPECIES, numbers, start + i));
      }
      sum.intoArray(lanes, pass);
    }
    return folded(lanes);
  }

  /**
   * Sum of squares.
   *
   * @param count a multiple of 16
   */
  static float squares(float[] numbers, int count, float[] lanes) {
    for (int pass = 0; pass < WIDTH; pass += STEP) {
      var sum = FloatVector.zero(SPECIES);
      for (int i = pass; i < count; i += WIDTH) {
        var x = FloatVector.fromArray(SPECIES, numbers, i);
        sum = x.fma(x, sum);
      }
      sum.intoArray(lanes, pass);
    }
    return folded(lanes);
  }

  /** Fills a row up with zeros. */
  static void pad(float[] row, int start, int count, int stride) {
    Arrays.fill(row, start + count, start + stride, 0);
  }

  private static float folded(float[] lanes) {
    fold(lanes, 1, lanes);
    return lanes[0];
  }
}
