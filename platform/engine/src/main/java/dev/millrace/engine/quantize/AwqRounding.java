package dev.millrace.engine.quantize;

import dev.millrace.engine.load.FloatCodec;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rounds matrices that share their input. Columns with large inputs are made larger before, and
 * whatever gives the input smaller by as much, so that the rounding harms them less; then the range
 * of each group is narrowed where that helps more than it harms. How far is found by trying on some
 * inputs.
 *
 * @param group columns that share a scale and a zero
 * @see <a href="https://arxiv.org/abs/2306.00978">AWQ</a>
 */
record AwqRounding(int group, int bits, FloatCodec stored) {
  private static final int POWERS = 20;

  /** Ranges that are tried for a group, from whole to half. */
  private static final int RANGES = 11;

  private static final float NARROWEST = 0.5f;
  private static final float SMALLEST = 1e-4f;

  /**
   * What the columns are best multiplied with before they are rounded.
   *
   * @param matrices each [rows][cols]
   * @return a positive number for each column
   */
  float[] scales(List<float[][]> matrices, InputSample inputs) {
    float[] best = ones(inputs.magnitude().length);
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < POWERS; i++) {
      float[] tried = scales(inputs.magnitude(), (double) i / POWERS);
      double error = 0;
      for (float[][] weights : matrices) {
        error += error(weights, tried, inputs);
      }
      if (error < least) {
        least = error;
        best = tried;
      }
    }
    return best;
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static float[] scales(float[] magnitude, double power) {
    float[] scales = new float[magnitude.length];
    float lowest = Float.MAX_VALUE;
    float highest = 0;
    for (int i = 0; i < scales.length; i++) {
      scales[i] = Math.max(SMALLEST, (float) Math.pow(magnitude[i], power));
      lowest = Math.min(lowest, scales[i]);
      highest = Math.max(highest, scales[i]);
    }
    float middle = (float) Math.sqrt((double) lowest * highest);
    for (int i = 0; i < scales.length; i++) {
      scales[i] /= middle;
    }
    return scales;
  }

  private double error(float[][] weights, float[] scales, InputSample inputs) {
    return inputs.error(
        weights.length,
        (row, off) -> {
          float[] from = weights[row];
          for (int at = 0; at < from.length; at += group) {
            int to = Math.min(from.length, at + group);
            float[] scaled = scaled(from, scales, at, to);
            var step = NearestRounding.step(scaled, 0, to - at, bits, false, 1, stored);
            for (int i = at; i < to; i++) {
              float weight = scaled[i - at];
              off[i] = step.value(step.code(weight, bits)) / scales[i] - from[i];
            }
          }
        });
  }

  private static float[] scaled(float[] row, float[] scales, int from, int to) {
    float[] scaled = new float[to - from];
    for (int i = from; i < to; i++) {
      scaled[i - from] = row[i] * scales[i];
    }
    return scaled;
  }

  /**
   * Rounds a matrix.
   *
   * @param scales what its columns are multiplied with
   * @param narrows whether ranges may be narrowed
   */
  GroupedCodes round(float[][] weights, float[] scales, InputSample inputs, boolean narrows) {
    var codes = new GroupedCodes(weights.length, scales.length, group, bits);
    IntStream.range(0, weights.length)
        .parallel()
        .forEach(row -> {
          float[] from = weights[row];
          for (int g = 0; g < codes.groups(); g++) {
            int at = g * group;
            int to = Math.min(from.length, at + group);
            float[] scaled = scaled(from, scales, at, to);
            codes.step(row, g, step(scaled, scales, at, inputs, narrows));
            for (int i = at; i < to; i++) {
              codes.round(row, i, scaled[i - at]);
            }
          }
        });
    return codes;
  }

  private Step step(float[] scaled, float[] scales, int at, InputSample inputs, boolean narrows) {
    int count = scaled.length;
    Step best = NearestRounding.step(scaled, 0, count, bits, false, 1, stored);
    double least = Double.POSITIVE_INFINITY;
    float[] off = new float[scales.length];
    for (int i = 0; narrows && i < RANGES; i++) {
      float reach = 1 - (1 - NARROWEST) * i / (RANGES - 1);
      Step tried = NearestRounding.step(scaled, 0, count, bits, false, reach, stored);
      for (int k = 0; k < count; k++) {
        float value = tried.value(tried.code(scaled[k], bits));
        off[at + k] = (value - scaled[k]) / scales[at + k];
      }
      double error = inputs.error(off, at, at + count);
      if (error < least) {
        least = error;
        best = tried;
      }
    }
    return best;
  }
}
