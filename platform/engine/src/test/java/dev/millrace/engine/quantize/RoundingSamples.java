package dev.millrace.engine.quantize;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Random weights, and inputs that are correlated and of unlike sizes, as those of models are. */
final class RoundingSamples {
  private RoundingSamples() {}

  static float[][] weights(int rows, int cols, long seed) {
    var random = new SplittableRandom(seed);
    float[][] weights = new float[rows][cols];
    for (float[] row : weights) {
      for (int i = 0; i < cols; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return weights;
  }

  /** [tokens][width]: every input has a part in common with the others, and its own size. */
  static float[][] inputs(int tokens, int width, long seed) {
    var random = new SplittableRandom(seed);
    double[] size = random.doubles(width).map(u -> Math.exp(3 * u)).toArray();
    float[][] inputs = new float[tokens][width];
    for (float[] row : inputs) {
      double common = random.nextGaussian();
      for (int i = 0; i < width; i++) {
        row[i] = (float) (size[i] * (common + 0.5 * random.nextGaussian()));
      }
    }
    return inputs;
  }

  /** Sums of products of inputs. */
  static double[][] gram(float[][] inputs) {
    int width = inputs[0].length;
    double[][] gram = new double[width][width];
    for (float[] row : inputs) {
      for (int i = 0; i < width; i++) {
        for (int j = 0; j < width; j++) {
          gram[i][j] += (double) row[i] * row[j];
        }
      }
    }
    return gram;
  }

  /**
   * The sum of squares by which outputs are off.
   *
   * @param divisors of the columns of what codes stand for
   */
  static double error(float[][] weights, GroupedCodes codes, float[] divisors, float[][] inputs) {
    double sum = 0;
    float[] row = new float[codes.cols()];
    for (int r = 0; r < weights.length; r++) {
      codes.decodeRow(r, row);
      for (float[] input : inputs) {
        double off = 0;
        for (int i = 0; i < row.length; i++) {
          off += ((double) row[i] / divisors[i] - weights[r][i]) * input[i];
        }
        sum += off * off;
      }
    }
    return sum;
  }

  static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  static InputSample sample(float[][] inputs) {
    int width = inputs[0].length;
    float[][] byColumn = new float[width][inputs.length];
    float[] magnitude = new float[width];
    for (int t = 0; t < inputs.length; t++) {
      for (int i = 0; i < width; i++) {
        byColumn[i][t] = inputs[t][i];
        magnitude[i] += Math.abs(inputs[t][i]) / inputs.length;
      }
    }
    return new InputSample(byColumn, magnitude);
  }
}
