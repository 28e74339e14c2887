package dev.millrace.quantizers;

import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Weights as integers with zeros and scales, written in the layouts of checkpoints in the plainest
 * way: good enough to be read again.
 *
 * @param codes [rows][columns], from 0 on
 * @param zeros [rows][groups], in the same unit
 * @param scales [rows][groups], of F16
 * @param index group of each column
 */
record IntegerSample(int bits, int[][] codes, int[][] zeros, float[][] scales, int[] index) {
  private static final int[] AWQ_ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

  /**
   * The nearest integers.
   *
   * @param index group of each column
   * @param symmetric whether zeros are in the middle
   */
  static IntegerSample of(int bits, int rows, float[] weights, int[] index, boolean symmetric) {
    int cols = index.length;
    int groups = index(index) + 1;
    int largest = (1 << bits) - 1;
    int[][] codes = new int[rows][cols];
    int[][] zeros = new int[rows][groups];
    float[][] scales = new float[rows][groups];
    for (int row = 0; row < rows; row++) {
      for (int g = 0; g < groups; g++) {
        float low = 0;
        float high = 0;
        for (int i = 0; i < cols; i++) {
          if (index[i] == g) {
            low = Math.min(low, weights[row * cols + i]);
            high = Math.max(high, weights[row * cols + i]);
          }
        }
        float size = symmetric ? 2 * Math.max(high, -low) : high - low;
        float scale = Float.float16ToFloat(Float.floatToFloat16(size / largest));
        int zero =
            symmetric || scale == 0
                ? 1 << (bits - 1)
                : Math.clamp(Math.round(-low / scale), 1, largest);
        scales[row][g] = scale;
        zeros[row][g] = zero;
        for (int i = 0; i < cols; i++) {
          if (index[i] == g) {
            float weight = weights[row * cols + i];
            codes[row][i] =
                scale == 0 ? zero : Math.clamp(Math.round(weight / scale) + zero, 0, largest);
          }
        }
      }
    }
    return new IntegerSample(bits, codes, zeros, scales, index);
  }

  /** Groups of columns that follow one another. */
  static int[] inOrder(int cols, int size) {
    int[] index = new int[cols];
    for (int i = 0; i < cols; i++) {
      index[i] = i / size;
    }
    return index;
  }

  /** Groups of {@code size} columns each, anywhere. */
  static int[] scattered(int cols, int size) {
    int[] index = inOrder(cols, size);
    for (int i = 0; i < cols; i++) {
      int other = (int) ((i * 7L + 3) % cols);
      int moved = index[i];
      index[i] = index[other];
      index[other] = moved;
    }
    return index;
  }

  private static int index(int[] index) {
    int largest = 0;
    for (int group : index) {
      largest = Math.max(largest, group);
    }
    return largest;
  }

  int rows() {
    return codes.length;
  }

  int cols() {
    return index.length;
  }

  int groups() {
    return zeros[0].length;
  }

  /** What the integers stand for, row-major. */
  float[] weights() {
    float[] weights = new float[rows() * cols()];
    for (int row = 0; row < rows(); row++) {
      for (int i = 0; i < cols(); i++) {
        weights[row * cols() + i] = scales[row][index[i]] * (codes[row][i] - zeros[row][index[i]]);
      }
    }
    return weights;
  }

  /** Adds the tensors of GPTQ. */
  MemoryCheckpoint gptq(String matrix, boolean v2, boolean withIndex, MemoryCheckpoint to) {
    int[][] stored = new int[groups()][rows()];
    for (int g = 0; g < groups(); g++) {
      for (int row = 0; row < rows(); row++) {
        stored[g][row] = zeros[row][g] - (v2 ? 0 : 1) & (1 << bits) - 1;
      }
    }
    to.bytes(
            matrix + ".qweight",
            DType.I32,
            List.of(cols() * bits / 32, rows()),
            transposed(codes, bits))
        .bytes(
            matrix + ".qzeros",
            DType.I32,
            List.of(groups(), rows() * bits / 32),
            streams(stored, bits))
        .floats(matrix + ".scales", DType.F16, List.of(groups(), rows()), scalesByGroup());
    return withIndex ? to.bytes(matrix + ".g_idx", DType.I32, List.of(cols()), words(index)) : to;
  }

  /** Adds the tensors of AWQ's GEMM layout. */
  MemoryCheckpoint awq(String matrix, MemoryCheckpoint to) {
    int[][] byInput = new int[cols()][rows()];
    int[][] byGroup = new int[groups()][rows()];
    for (int row = 0; row < rows(); row++) {
      int nibble = row / 8 * 8;
      for (int i = 0; i < 8; i++) {
        nibble += AWQ_ORDER[i] == row % 8 ? i : 0;
      }
      for (int i = 0; i < cols(); i++) {
        byInput[i][nibble] = codes[row][i];
      }
      for (int g = 0; g < groups(); g++) {
        byGroup[g][nibble] = zeros[row][g];
      }
    }
    return to.bytes(
            matrix + ".qweight", DType.I32, List.of(cols(), rows() / 8), streams(byInput, 4))
        .bytes(matrix + ".qzeros", DType.I32, List.of(groups(), rows() / 8), streams(byGroup, 4))
        .floats(matrix + ".scales", DType.F16, List.of(groups(), rows()), scalesByGroup());
  }

  private float[] scalesByGroup() {
    float[] all = new float[groups() * rows()];
    for (int i = 0; i < all.length; i++) {
      all[i] = scales[i % rows()][i / rows()];
    }
    return all;
  }

  /** Each row as a stream of bits in whole words, the lowest first. */
  static byte[] streams(int[][] rows, int bits) {
    int words = Math.ceilDiv(rows[0].length * bits, 32);
    var out = ByteBuffer.allocate(4 * words * rows.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int[] row : rows) {
      for (int word : packed(row, bits, words)) {
        out.putInt(word);
      }
    }
    return out.array();
  }

  /** The words of each row one below the other. */
  static byte[] transposed(int[][] rows, int bits) {
    int words = Math.ceilDiv(rows[0].length * bits, 32);
    var out = ByteBuffer.allocate(4 * words * rows.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < rows.length; i++) {
      int[] column = packed(rows[i], bits, words);
      for (int w = 0; w < words; w++) {
        out.putInt(4 * (w * rows.length + i), column[w]);
      }
    }
    return out.array();
  }

  private static int[] packed(int[] numbers, int bits, int words) {
    int[] out = new int[words];
    for (int bit = 0; bit < numbers.length * bits; bit++) {
      out[bit / 32] |= (numbers[bit / bits] >> (bit % bits) & 1) << (bit % 32);
    }
    return out;
  }

  static byte[] words(int... words) {
    var out = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : words) {
      out.putInt(word);
    }
    return out.array();
  }
}
