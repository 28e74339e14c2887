package dev.millrace.engine.quantize;

import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.quant.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/** How codes become the tensors of a module. */
enum CodeLayout {
  /**
   * Codes of an output below one another in {@code qweight} [cols · bits / 32, rows]; {@code
   * qzeros}, less 1, side by side; {@code scales}; {@code g_idx}.
   *
   * @see <a href="https://github.com/AutoGPTQ/AutoGPTQ">AutoGPTQ</a>
   */
  GPTQ {
    @Override
    List<PlannedTensor> plan(String module, int rows, int cols, int group, int bits, DType scales) {
      int groups = Math.ceilDiv(cols, group);
      return List.of(
          PlannedTensor.of(module + ".qweight", DType.I32, (long) cols * bits / 32, rows),
          PlannedTensor.of(module + ".qzeros", DType.I32, groups, (long) rows * bits / 32),
          PlannedTensor.of(module + ".scales", scales, groups, rows),
          PlannedTensor.of(module + ".g_idx", DType.I32, cols));
    }

    @Override
    void write(String module, GroupedCodes codes, FloatCodec scales, TensorFile file) {
      int rows = codes.rows();
      int perWord = 32 / codes.bits();
      var words = file.tensor(module + ".qweight");
      for (int k = 0; k < codes.cols(); k++) {
        for (int n = 0; n < rows; n++) {
          or(
              words,
              (long) (k / perWord) * rows + n,
              codes.code(n, k) << (codes.bits() * (k % perWord)));
        }
      }
      var zeros = file.tensor(module + ".qzeros");
      for (int g = 0; g < codes.groups(); g++) {
        for (int n = 0; n < rows; n++) {
          long word = (long) g * (rows / perWord) + n / perWord;
          or(zeros, word, (codes.zero(n, g) - 1) << (codes.bits() * (n % perWord)));
        }
      }
      scalesDown(file.tensor(module + ".scales"), codes, scales);
      var index = file.tensor(module + ".g_idx");
      for (int k = 0; k < codes.cols(); k++) {
        index.set(WORD, 4L * k, k / codes.group());
      }
    }
  },

  /**
   * Eight outputs in a word of {@code qweight} [cols, rows / 8] and {@code qzeros}, in the order 0,
   * 2, 4, 6, 1, 3, 5, 7; {@code scales}.
   *
   * @see <a href="https://github.com/casper-hansen/AutoAWQ">AutoAWQ</a>, version GEMM
   */
  AWQ {
    @Override
    List<PlannedTensor> plan(String module, int rows, int cols, int group, int bits, DType scales) {
      int groups = Math.ceilDiv(cols, group);
      return List.of(
          PlannedTensor.of(module + ".qweight", DType.I32, cols, rows / 8),
          PlannedTensor.of(module + ".qzeros", DType.I32, groups, rows / 8),
          PlannedTensor.of(module + ".scales", scales, groups, rows));
    }

    @Override
    void write(String module, GroupedCodes codes, FloatCodec scales, TensorFile file) {
      int words = codes.rows() / 8;
      var weights = file.tensor(module + ".qweight");
      for (int k = 0; k < codes.cols(); k++) {
        for (int n = 0; n < codes.rows(); n++) {
          or(weights, (long) k * words + n / 8, codes.code(n, k) << AWQ_SHIFTS[n % 8]);
        }
      }
      var zeros = file.tensor(module + ".qzeros");
      for (int g = 0; g < codes.groups(); g++) {
        for (int n = 0; n < codes.rows(); n++) {
          or(zeros, (long) g * words + n / 8, codes.zero(n, g) << AWQ_SHIFTS[n % 8]);
        }
      }
      scalesDown(file.tensor(module + ".scales"), codes, scales);
    }
  },

  /**
   * Codes of a row side by side in {@code weight_packed} [rows, cols · bits / 32]; {@code
   * weight_scale} [rows, groups]; {@code weight_shape}. Zeros are in the middle, and not written.
   *
   * @see <a href="https://github.com/vllm-project/compressed-tensors">compressed-tensors</a>
   */
  PACKED {
    @Override
    List<PlannedTensor> plan(String module, int rows, int cols, int group, int bits, DType scales) {
      return List.of(
          PlannedTensor.of(
              module + ".weight_packed", DType.I32, rows, Math.ceilDiv((long) cols * bits, 32)),
          PlannedTensor.of(module + ".weight_scale", scales, rows, Math.ceilDiv(cols, group)),
          PlannedTensor.of(module + ".weight_shape", DType.I64, 2));
    }

    @Override
    void write(String module, GroupedCodes codes, FloatCodec scales, TensorFile file) {
      int perWord = 32 / codes.bits();
      int words = Math.ceilDiv(codes.cols(), perWord);
      var packed = file.tensor(module + ".weight_packed");
      var steps = file.tensor(module + ".weight_scale");
      IntStream.range(0, codes.rows())
          .parallel()
          .forEach(n -> {
            float[] row = new float[codes.groups()];
            for (int k = 0; k < codes.cols(); k++) {
              or(
                  packed,
                  (long) n * words + k / perWord,
                  codes.code(n, k) << (codes.bits() * (k % perWord)));
            }
            for (int g = 0; g < row.length; g++) {
              row[g] = codes.scale(n, g);
            }
            scales.encode(row, row.length, steps, (long) n * row.length);
          });
      var shape = file.tensor(module + ".weight_shape");
      shape.set(LONG, 0, codes.rows());
      shape.set(LONG, 8, codes.cols());
    }
  };

  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int[] AWQ_SHIFTS = {0, 16, 4, 20, 8, 24, 12, 28};

  /** The tensors of a module. */
  abstract List<PlannedTensor> plan(
      String module, int rows, int cols, int group, int bits, DType scales);

  /** Fills them in; they are zeros before. */
  abstract void write(String module, GroupedCodes codes, FloatCodec scales, TensorFile file);

  private static void or(MemorySegment words, long index, int bits) {
    words.set(WORD, 4 * index, words.get(WORD, 4 * index) | bits);
  }

  /** Scales [groups, rows]. */
  private static void scalesDown(MemorySegment out, GroupedCodes codes, FloatCodec stored) {
    float[] row = new float[codes.rows()];
    for (int g = 0; g < codes.groups(); g++) {
      for (int n = 0; n < row.length; n++) {
        row[n] = codes.scale(n, g);
      }
      stored.encode(row, row.length, out, (long) g * row.length);
    }
  }
}
