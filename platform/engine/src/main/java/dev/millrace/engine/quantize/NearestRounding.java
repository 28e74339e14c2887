package dev.millrace.engine.quantize;

import dev.millrace.engine.load.FloatCodec;
import java.util.stream.IntStream;

/** Rounds each weight to the nearest number its group has, and looks at nothing else. */
final class NearestRounding {
  private NearestRounding() {}

  /**
   * Rounds a matrix.
   *
   * @param weights [rows][cols]
   * @param stored what scales are written in
   */
  static GroupedCodes round(
      float[][] weights, int group, int bits, boolean symmetric, FloatCodec stored) {
    var codes = new GroupedCodes(weights.length, weights[0].length, group, bits);
    IntStream.range(0, weights.length)
        .parallel()
        .forEach(row -> {
          float[] from = weights[row];
          for (int g = 0; g < codes.groups(); g++) {
            int end = Math.min(from.length, (g + 1) * group);
            codes.step(row, g, step(from, g * group, end, bits, symmetric, 1, stored));
            for (int i = g * group; i < end; i++) {
              codes.round(row, i, from[i]);
            }
          }
        });
    return codes;
  }

  /**
   * The step of a group.
   *
   * @param reach part of its range that codes reach
   */
  static Step step(
      float[] row, int from, int to, int bits, boolean symmetric, float reach, FloatCodec stored) {
    float lowest = 0;
    float highest = 0;
    for (int i = from; i < to; i++) {
      lowest = Math.min(lowest, row[i]);
      highest = Math.max(highest, row[i]);
    }
    return symmetric
        ? Step.symmetric(reach * Math.max(highest, -lowest), bits, stored)
        : Step.between(reach * lowest, reach * highest, bits, stored);
  }
}
