package dev.millrace.engine.quantize;

import dev.millrace.engine.device.cpu.ObservedPass;
import java.util.stream.IntStream;

/**
 * Some of the inputs of a linear, and the mean magnitude of all.
 *
 * @param byColumn [width][tokens]
 * @param magnitude of each input
 */
record InputSample(float[][] byColumn, float[] magnitude) {
  /** Tokens that errors are measured on. */
  private static final int TOKENS = 256;

  static InputSample of(ObservedPass.Input input) {
    int tokens = Math.min(TOKENS, input.rows());
    float[][] byColumn = new float[input.width()][tokens];
    double[] sum = new double[input.width()];
    float[] row = new float[input.width()];
    int taken = 0;
    for (int r = 0; r < input.rows(); r++) {
      input.read(r, row);
      for (int i = 0; i < row.length; i++) {
        sum[i] += Math.abs(row[i]);
      }
      // spread evenly over all rows
      if ((long) taken * input.rows() <= (long) r * tokens && taken < tokens) {
        for (int i = 0; i < row.length; i++) {
          byColumn[i][taken] = row[i];
        }
        taken++;
      }
    }
    float[] magnitude = new float[sum.length];
    for (int i = 0; i < sum.length; i++) {
      magnitude[i] = (float) (sum[i] / input.rows());
    }
    return new InputSample(byColumn, magnitude);
  }

  /** The sum of squares of what some columns' errors make of an output. */
  double error(float[] off, int from, int to) {
    float[] output = new float[byColumn[0].length];
    for (int i = from; i < to; i++) {
      float by = off[i];
      float[] inputs = byColumn[i];
      for (int t = 0; t < output.length; t++) {
        output[t] += by * inputs[t];
      }
    }
    double sum = 0;
    for (float value : output) {
      sum += (double) value * value;
    }
    return sum;
  }

  /** The sum of {@link #error} over rows, each given by what is off in it. */
  double error(int rows, RowError of) {
    int width = byColumn.length;
    return IntStream.range(0, rows)
        .parallel()
        .mapToDouble(row -> {
          float[] off = new float[width];
          of.write(row, off);
          return error(off, 0, width);
        })
        .sum();
  }

  /** Gives what is off in a row. */
  interface RowError {
    void write(int row, float[] off);
  }
}
