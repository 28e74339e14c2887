package dev.millrace.quantizers;

import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.util.List;

/**
 * Weights in E4M3 with a scale for each block, in the plainest way.
 *
 * @param scales [down][across]
 */
record Fp8Sample(int rows, int cols, byte[] bytes, float[][] scales, int blockRows, int blockCols) {
  /** The nearest numbers. */
  static Fp8Sample of(int rows, int cols, float[] weights, int blockRows, int blockCols) {
    int down = Math.ceilDiv(rows, blockRows);
    int across = Math.ceilDiv(cols, blockCols);
    float[][] scales = new float[down][across];
    for (int i = 0; i < weights.length; i++) {
      int row = i / cols / blockRows;
      int col = i % cols / blockCols;
      scales[row][col] = Math.max(scales[row][col], Math.abs(weights[i]) / 448);
    }
    byte[] bytes = new byte[weights.length];
    for (int i = 0; i < weights.length; i++) {
      float scale = scales[i / cols / blockRows][i % cols / blockCols];
      bytes[i] = scale == 0 ? 0 : nearest(weights[i] / scale);
    }
    return new Fp8Sample(rows, cols, bytes, scales, blockRows, blockCols);
  }

  private static byte nearest(float number) {
    byte best = 0;
    for (int bits = 0; bits < 256; bits++) {
      float error = Math.abs(Float8.e4m3((byte) bits) - number);
      if (error < Math.abs(Float8.e4m3(best) - number)) {
        best = (byte) bits;
      }
    }
    return best;
  }

  MemoryCheckpoint write(String matrix, String scale, List<Integer> shape, MemoryCheckpoint to) {
    float[] all = new float[scales.length * scales[0].length];
    for (int i = 0; i < all.length; i++) {
      all[i] = scales[i / scales[0].length][i % scales[0].length];
    }
    return to.bytes(matrix + ".weight", DType.F8_E4M3, List.of(rows, cols), bytes)
        .floats(matrix + "." + scale, DType.F32, shape, all);
  }

  float[] weights() {
    float[] weights = new float[bytes.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Float8.e4m3(bytes[i]) * scales[i / cols / blockRows][i % cols / blockCols];
    }
    return weights;
  }
}
