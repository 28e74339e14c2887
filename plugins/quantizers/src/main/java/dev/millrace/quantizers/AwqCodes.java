package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.ScaleType;

/**
 * A matrix of an AWQ checkpoint in the GEMM layout, K inputs to N outputs in G groups: {@code
 * qweight} I32 [K, N / 8] and {@code qzeros} I32 [G, N / 8], eight outputs side by side in a word,
 * and {@code scales} [G, N]. The nibbles of a word, the lowest first, are its outputs 0, 2, 4, 6,
 * 1, 3, 5, 7.
 *
 * @see <a href="https://github.com/casper-hansen/AutoAWQ">AutoAWQ, which defined the layout</a>
 */
record AwqCodes(ColumnGroups groups, Stored codes, Stored groupZeros, Stored scales)
    implements AffineCodes {
  /** Where in a word each of eight outputs begins. */
  private static final int[] SHIFTS = {0, 16, 4, 20, 8, 24, 12, 28};

  static AwqCodes of(String matrix, Checkpoint checkpoint) {
    var config = checkpoint.quantization();
    checkLayout(config);
    int size = config.integer("group_size", config.integer("q_group_size", -1));
    if (size != -1 && size < 1) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "AWQ with a group_size of " + size + "; known: -1 and from 1 on");
    }
    var codes = Stored.matrix(checkpoint, matrix + ".qweight", DType.I32);
    Exclusions.check(matrix, codes.name(), config, "modules_to_not_convert");
    int inputs = codes.side(0);
    long words = codes.side(1);
    var groups = ColumnGroups.inOrder(inputs, size == -1 ? inputs : size);
    var zeros =
        Stored.matrix(checkpoint, matrix + ".qzeros", DType.I32).shaped(groups.count(), words);
    var scales =
        Stored.matrix(checkpoint, matrix + ".scales", DType.F16, DType.BF16, DType.F32)
            .shaped(groups.count(), 8 * words);
    return new AwqCodes(groups, codes, zeros, scales);
  }

  private static void checkLayout(ModelConfig config) {
    String version = config.text("version", "gemm");
    if (!version.equalsIgnoreCase("gemm")) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "AWQ checkpoints in layout "
              + version
              + " are not read; one in layout gemm is (AutoAWQ saves it with version \"GEMM\")");
    }
    int bits = config.integer("bits", config.integer("w_bit", 4));
    if (bits != 4) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION, "AWQ with bits of " + bits + "; known: 4");
    }
    if (!config.flag("zero_point", true)) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "AWQ without zero_point is not read; its GEMM layout has zeros");
    }
  }

  @Override
  public int rows() {
    return 8 * codes.side(1);
  }

  @Override
  public int bits() {
    return 4;
  }

  @Override
  public Reader reader() {
    int[][] words = new int[8][Packing.TOGETHER / 8];
    long[] eight = new long[8];
    return new RowBlock(
        rows(), groups.cols(), (first, out, count) -> read(first, out, count, words, eight));
  }

  /** Reads eight inputs at a time; rows are a multiple of eight. */
  private void read(int first, byte[][] out, int count, int[][] words, long[] eight) {
    int together = groups.cols() / 8 * 8;
    for (int i = 0; i < together; i += 8) {
      for (int n = 0; n < 8; n++) {
        long at = Math.multiplyFull(i + n, codes.side(1)) + first / 8;
        codes.integers(at, words[n], count / 8);
      }
      for (int w = 0; w < count / 8; w++) {
        Nibbles.turn(words, w, eight);
        for (int n = 0; n < 8; n++) {
          Nibbles.put(eight[SHIFTS[n] / 4], out[8 * w + n], i);
        }
      }
    }
    for (int i = together; i < groups.cols(); i++) {
      for (int r = 0; r < count; r++) {
        out[r][i] = (byte) ((word(i, first + r) >>> SHIFTS[r % 8]) & 15);
      }
    }
  }

  private int word(int input, int row) {
    return codes.integer(Math.multiplyFull(input, codes.side(1)) + row / 8);
  }

  @Override
  public int zero(int row, int group) {
    int word = groupZeros.integer(Math.multiplyFull(group, groupZeros.side(1)) + row / 8);
    return (word >>> SHIFTS[row % 8]) & 15;
  }

  @Override
  public float scale(int row, int group) {
    return scales.number(Math.multiplyFull(group, rows()) + row);
  }

  @Override
  public ScaleType scaleType() {
    return scales.type();
  }

  @Override
  public String scaleTensor() {
    return scales.name();
  }
}
