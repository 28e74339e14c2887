package dev.millrace.engine.quantize;

import dev.millrace.engine.load.FloatCodec;

/**
 * A matrix of small integers: {@code w = (code − zero) · scale}, with a scale and a zero for each
 * group of columns of a row. Rows may be filled by several threads.
 */
final class GroupedCodes {
  private final int rows;
  private final int cols;
  private final int group;
  private final int bits;
  private final byte[][] codes;
  private final float[][] scales;
  private final int[][] zeros;

  /**
   * A matrix of zeros.
   *
   * @param group columns that share a scale; the last group of a row may be short
   */
  GroupedCodes(int rows, int cols, int group, int bits) {
    this.rows = rows;
    this.cols = cols;
    this.group = group;
    this.bits = bits;
    int groups = Math.ceilDiv(cols, group);
    this.codes = new byte[rows][cols];
    this.scales = new float[rows][groups];
    this.zeros = new int[rows][groups];
  }

  int rows() {
    return rows;
  }

  int cols() {
    return cols;
  }

  int group() {
    return group;
  }

  int groups() {
    return Math.ceilDiv(cols, group);
  }

  int bits() {
    return bits;
  }

  /** Without a sign: from 0 on. */
  int code(int row, int col) {
    return codes[row][col] & 255;
  }

  float scale(int row, int g) {
    return scales[row][g];
  }

  int zero(int row, int g) {
    return zeros[row][g];
  }

  void step(int row, int g, Step step) {
    scales[row][g] = step.scale();
    zeros[row][g] = step.zero();
  }

  /** Stores the nearest code of a weight, and gives what that stands for. */
  float round(int row, int col, float weight) {
    int g = col / group;
    var step = new Step(scales[row][g], zeros[row][g]);
    int code = step.code(weight, bits);
    codes[row][col] = (byte) code;
    return step.value(code);
  }

  /** Divides all that a row stands for, by way of its scales. */
  void divide(int row, float by, FloatCodec stored) {
    for (int g = 0; g < scales[row].length; g++) {
      scales[row][g] = stored.round(scales[row][g] / by);
    }
  }

  /** What a row stands for. */
  void decodeRow(int row, float[] out) {
    for (int i = 0; i < cols; i++) {
      int g = i / group;
      out[i] = (code(row, i) - zeros[row][g]) * scales[row][g];
    }
  }
}
