package dev.millrace.engine.quantize;

import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Rounds a matrix column by column, and after each has the columns that follow make good for its
 * error in the output, as far as inputs are correlated. Groups have their steps before the first
 * column is rounded, so that columns can come in any order and yet lie in groups side by side.
 *
 * @param group columns that share a scale
 * @param damping part of the mean diagonal of H that is added to it
 * @param actOrder whether columns with large inputs come first
 * @see <a href="https://arxiv.org/abs/2210.17323">GPTQ</a>, and its {@code static_groups}
 */
record GptqRounding(int group, int bits, double damping, boolean actOrder, FloatCodec stored) {
  /** Rows that share the reading of a row of the factor. */
  private static final int TOGETHER = 16;

  /** Ranges that are tried for a group, from whole to six tenths. */
  private static final int RANGES = 17;

  private static final float NARROWEST = 0.6f;

  /**
   * What is known of inputs.
   *
   * @param importance mean squares
   * @param order in which columns are rounded
   * @param factor of the inverse of H, in that order
   */
  record Inputs(float[] importance, int[] order, float[][] factor) {}

  /**
   * Gets ready for the matrices of an input.
   *
   * @param module names it in errors
   * @param h [cols][cols], sums of products of inputs
   */
  Inputs inputs(String module, double[][] h) {
    float[] importance = new float[h.length];
    double mean = 0;
    for (int i = 0; i < importance.length; i++) {
      importance[i] = (float) h[i][i];
      mean += h[i][i] / importance.length;
    }
    int[] order = order(importance);
    return new Inputs(importance, order, factor(module, permuted(h, order, damping * mean)));
  }

  /**
   * Rounds a matrix.
   *
   * @param weights [rows][cols], not changed
   */
  GroupedCodes round(float[][] weights, Inputs inputs) {
    var codes = new GroupedCodes(weights.length, weights[0].length, group, bits);
    steps(weights, inputs.importance(), codes);
    int tiles = Math.ceilDiv(weights.length, TOGETHER);
    IntStream.range(0, tiles)
        .parallel()
        .forEach(tile -> {
          int first = tile * TOGETHER;
          int end = Math.min(weights.length, first + TOGETHER);
          tile(weights, first, end, inputs.order(), inputs.factor(), codes);
        });
    return codes;
  }

  private int[] order(float[] importance) {
    var columns = IntStream.range(0, importance.length).boxed();
    return (actOrder
            ? columns.sorted(Comparator.comparingDouble((Integer i) -> -importance[i]))
            : columns)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static double[][] permuted(double[][] h, int[] order, double added) {
    int n = order.length;
    double[][] permuted = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        permuted[i][j] = h[order[i]][order[j]];
      }
      // an input that is always 0 says nothing of its column, which then is rounded to nearest
      permuted[i][i] = permuted[i][i] == 0 ? 1 : permuted[i][i] + added;
    }
    return permuted;
  }

  private static float[][] factor(String module, double[][] h) {
    try {
      return InverseFactor.of(h);
    } catch (ArithmeticException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "the inputs of %s cannot be used to calibrate: %s; more damping or text may help"
              .formatted(module, e.getMessage()),
          e);
    }
  }

  /** Of some ranges, each group takes the one with the least error, weighed by its inputs. */
  private void steps(float[][] weights, float[] importance, GroupedCodes codes) {
    IntStream.range(0, weights.length)
        .parallel()
        .forEach(row -> {
          for (int g = 0; g < codes.groups(); g++) {
            codes.step(row, g, step(weights[row], g, importance));
          }
        });
  }

  private Step step(float[] row, int g, float[] importance) {
    int from = g * group;
    int to = Math.min(row.length, from + group);
    Step best = NearestRounding.step(row, from, to, bits, true, 1, stored);
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < RANGES; i++) {
      float reach = 1 - (1 - NARROWEST) * i / (RANGES - 1);
      Step tried = NearestRounding.step(row, from, to, bits, true, reach, stored);
      double error = 0;
      for (int c = from; c < to; c++) {
        double off = row[c] - tried.value(tried.code(row[c], bits));
        error += off * off * importance[c];
      }
      if (error < least) {
        least = error;
        best = tried;
      }
    }
    return best;
  }

  private static void tile(
      float[][] weights, int first, int end, int[] order, float[][] factor, GroupedCodes codes) {
    int n = order.length;
    float[][] left = new float[end - first][n];
    for (int r = 0; r < left.length; r++) {
      for (int i = 0; i < n; i++) {
        left[r][i] = weights[first + r][order[i]];
      }
    }
    for (int i = 0; i < n; i++) {
      float[] of = factor[i];
      for (int r = 0; r < left.length; r++) {
        float[] row = left[r];
        float error = (row[i] - codes.round(first + r, order[i], row[i])) / of[i];
        for (int k = i + 1; k < n; k++) {
          row[k] -= error * of[k];
        }
      }
    }
  }
}
