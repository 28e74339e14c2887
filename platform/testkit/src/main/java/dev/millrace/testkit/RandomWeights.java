package dev.millrace.testkit;

import java.util.SplittableRandom;

/**
 * Weights to quantize: rows of very different magnitudes, a row of zeros among them.
 *
 * @param values row-major
 */
record RandomWeights(int rows, int cols, float[] values) {

  /** The same for the same size. */
  static RandomWeights of(int rows, int cols) {
    var random = new SplittableRandom(31L * rows + cols);
    float[] values = new float[rows * cols];
    for (int row = 0; row < rows; row++) {
      double magnitude = row % 7 == 2 ? 0 : Math.pow(10, row % 5 - 3);
      for (int col = 0; col < cols; col++) {
        values[row * cols + col] = (float) (magnitude * random.nextGaussian());
      }
    }
    return new RandomWeights(rows, cols, values);
  }

  /** Fails if a decoded row is further off than the error allows. */
  void compare(int row, float[] decoded, double worstError) {
    double largest = 0;
    for (int col = 0; col < cols; col++) {
      largest = Math.max(largest, Math.abs(values[row * cols + col]));
    }
    for (int col = 0; col < cols; col++) {
      float given = values[row * cols + col];
      // negated, so that a NaN fails
      if (!(Math.abs((double) decoded[col] - given) <= worstError * largest)) {
        throw new AssertionError(
            "row %d, column %d: %s became %s; the largest of the row is %s, the worst error %s of it"
                .formatted(row, col, given, decoded[col], largest, worstError));
      }
    }
  }
}
