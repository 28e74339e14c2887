package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.ScaleType;
import java.util.stream.IntStream;

/**
 * A matrix of a GPTQ checkpoint, K inputs to N outputs in G groups:
 *
 * <ul>
 *   <li>{@code qweight} I32 [K · bits / 32, N]: the codes of an output lie one below the other;
 *   <li>{@code qzeros} I32 [G, N · bits / 32]: the zeros of a group side by side, less 1 in format
 *       {@code gptq}. What is more than the bits hold begins at 0 again, as in AutoGPTQ;
 *   <li>{@code scales} [G, N];
 *   <li>{@code g_idx} I32 [K]: the group of each input; without it, they follow one another.
 * </ul>
 *
 * @see <a href="https://github.com/AutoGPTQ/AutoGPTQ">AutoGPTQ, which defined the layout</a>
 */
record GptqCodes(
    GptqSettings settings, ColumnGroups groups, Stored codes, Stored groupZeros, Stored scales)
    implements AffineCodes {

  static GptqCodes of(String matrix, Checkpoint checkpoint) {
    var settings = GptqSettings.of(matrix, checkpoint.quantization());
    int bits = settings.bits();
    var codes = Stored.matrix(checkpoint, matrix + ".qweight", DType.I32);
    long words = codes.side(0);
    if (words * 32 % bits != 0) {
      throw codes.badShape("whole inputs of " + bits + " bits");
    }
    int inputs = Math.toIntExact(words * 32 / bits);
    int outputs = codes.side(1);
    if (outputs * bits % 32 != 0) {
      throw codes.badShape("outputs in whole words of " + bits + " bits");
    }
    int size = settings.groupSize() == -1 ? inputs : settings.groupSize();
    int groups = Math.ceilDiv(inputs, size);
    var zeros =
        Stored.matrix(checkpoint, matrix + ".qzeros", DType.I32)
            .shaped(groups, BitStream.words(outputs, bits));
    var scales =
        Stored.matrix(checkpoint, matrix + ".scales", DType.F16, DType.BF16, DType.F32)
            .shaped(groups, outputs);
    var all =
        new GptqCodes(
            settings, columns(matrix, checkpoint, inputs, size, settings), codes, zeros, scales);
    all.checkSymmetry();
    return all;
  }

  private static ColumnGroups columns(
      String matrix, Checkpoint checkpoint, int inputs, int size, GptqSettings settings) {
    String name = matrix + ".g_idx";
    if (!checkpoint.has(name)) {
      if (settings.actOrder() && size < inputs) {
        checkpoint.tensor(name); // says that it is missing, and where
      }
      return ColumnGroups.inOrder(inputs, size);
    }
    var index = Stored.of(checkpoint, name, DType.I32).shaped(inputs);
    var groups = ColumnGroups.indexed(name, index.integers(), size);
    if (!settings.actOrder() && !groups.natural()) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          name
              + " has groups in another order than their columns, but desc_act is false;"
              + " set it to true in config.json if that is what was meant");
    }
    return groups;
  }

  /** Zeros of {@code sym} are in the middle. */
  private void checkSymmetry() {
    int middle = 1 << (settings.bits() - 1);
    if (settings.symmetric()
        && !IntStream.range(0, groups.count())
            .parallel()
            .allMatch(g -> IntStream.range(0, rows()).allMatch(row -> zero(row, g) == middle))) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s has zeros other than %d, but sym is true; checkpoint_format may be wrong, too"
              .formatted(groupZeros.name(), middle));
    }
  }

  @Override
  public int rows() {
    return codes.side(1);
  }

  @Override
  public int bits() {
    return settings.bits();
  }

  @Override
  public Reader reader() {
    int length = Integer.BYTES * codes.side(0) + PackedCodes.BEHIND;
    byte[][] words = new byte[Packing.TOGETHER][length];
    int[] across = new int[Packing.TOGETHER];
    return new RowBlock(
        rows(),
        groups.cols(),
        (first, out, count) -> {
          for (int w = 0; w < codes.side(0); w++) {
            codes.integers(Math.multiplyFull(w, rows()) + first, across, count);
            for (int i = 0; i < count; i++) {
              PackedCodes.put(words[i], w, across[i]);
            }
          }
          for (int i = 0; i < count; i++) {
            PackedCodes.spread(words[i], bits(), 0, out[i]);
          }
        });
  }

  @Override
  public int zero(int row, int group) {
    long start = Math.multiplyFull(group, groupZeros.side(1));
    int zero = BitStream.dense(groupZeros, bits(), start, 1).get(row);
    return settings.stored() ? zero : (zero + 1) & ((1 << bits()) - 1);
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
