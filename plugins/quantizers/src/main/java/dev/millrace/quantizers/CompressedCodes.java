package dev.millrace.quantizers;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.ScaleType;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Integers of a compressed-tensors checkpoint, N rows of K columns:
 *
 * <ul>
 *   <li>{@code weight_packed} I32 [N, words of K numbers], each more by half of its range, so that
 *       it has no sign; {@code weight_shape} I64 [2]: N, K. Numbers of 3, 5, 6 and 7 bits are
 *       dense, or, as older versions have it, so many in a word as fit whole; the words tell which;
 *   <li>or {@code weight} I8 [N, K];
 *   <li>{@code weight_scale} by tensor, channel, group or block;
 *   <li>{@code weight_zero_point}, unless symmetric: packed like the weights, but down the rows, or
 *       I8 like {@code weight_scale};
 *   <li>{@code weight_g_idx} I32 [K] with {@code actorder}: the group of each column.
 * </ul>
 *
 * @param packed whether codes are words, else signed bytes
 * @param perWord of packed codes, see {@link BitStream}
 * @param zeros null: in the middle
 * @param zerosPerWord of packed zeros
 */
record CompressedCodes(
    Stored codes,
    boolean packed,
    int rows,
    ColumnGroups groups,
    int bits,
    int perWord,
    ScaleGrid grid,
    @Nullable Stored zeros,
    int zerosPerWord)
    implements AffineCodes {
  /** Dense streams of these bits have numbers in two words. */
  private static final int DENSE = 0;

  static CompressedCodes packed(String matrix, CompressedScheme scheme, Checkpoint checkpoint) {
    var codes = Stored.matrix(checkpoint, matrix + ".weight_packed", DType.I32);
    var shape = Stored.of(checkpoint, matrix + ".weight_shape", DType.I64, DType.I32).shaped(2);
    boolean wide = shape.tensor().dtype() == DType.I64;
    long rows = wide ? shape.whole(0) : shape.integer(0);
    long cols = wide ? shape.whole(1) : shape.integer(1);
    int bits = scheme.bits();
    if (rows != codes.side(0) || cols < 1 || cols > Integer.MAX_VALUE / 32) {
      throw shape.badShape("the shape of %s: it says [%d, %d]".formatted(codes.name(), rows, cols));
    }
    int perWord = perWord(codes, 1, (int) cols, bits);
    var grid = grid(matrix, scheme, (int) rows, (int) cols, checkpoint);
    Stored zeros = null;
    int zerosPerWord = DENSE;
    if (!scheme.symmetric()) {
      zeros = Stored.matrix(checkpoint, matrix + ".weight_zero_point", DType.I32);
      zeros.shaped(zeros.side(0), grid.across());
      zerosPerWord = perWord(zeros, 0, grid.down(), bits);
    }
    var groups = groups(matrix, grid, (int) cols, checkpoint);
    return new CompressedCodes(
        codes, true, (int) rows, groups, bits, perWord, grid, zeros, zerosPerWord);
  }

  /** Numbers in a word, as the length of a tensor's side tells. */
  private static int perWord(Stored words, int dimension, int count, int bits) {
    if (words.side(dimension) == BitStream.words(count, bits)) {
      return 32 % bits == 0 ? 32 / bits : DENSE;
    }
    if (words.side(dimension) != Math.ceilDiv(count, 32 / bits)) {
      throw words.badShape(
          "%d words of %d numbers of %d bits".formatted(BitStream.words(count, bits), count, bits));
    }
    return 32 / bits;
  }

  static CompressedCodes bytes(String matrix, CompressedScheme scheme, Checkpoint checkpoint) {
    var codes = Stored.matrix(checkpoint, matrix + ".weight", DType.I8);
    int rows = codes.side(0);
    int cols = codes.side(1);
    var grid = grid(matrix, scheme, rows, cols, checkpoint);
    Stored zeros = null;
    if (!scheme.symmetric()) {
      zeros = Stored.of(checkpoint, matrix + ".weight_zero_point", DType.I8);
      if (grid.down() * grid.across() > 1 || zeros.tensor().elements() != 1) {
        zeros.shaped(grid.down(), grid.across());
      }
    }
    var groups = groups(matrix, grid, cols, checkpoint);
    return new CompressedCodes(codes, false, rows, groups, 8, DENSE, grid, zeros, DENSE);
  }

  /** The scales of a matrix. */
  static ScaleGrid grid(
      String matrix, CompressedScheme scheme, int rows, int cols, Checkpoint checkpoint) {
    String name = matrix + ".weight_scale";
    int[] block = scheme.block();
    if (block[0] == 0) {
      var one = ScaleGrid.plain(checkpoint, name, rows);
      if (one.down() > 1) {
        throw one.scales().badShape("one scale, as strategy tensor wants it");
      }
      return one;
    }
    if (block[1] == 0) {
      var all = ScaleGrid.plain(checkpoint, name, rows);
      return rows == all.down() ? all : ScaleGrid.blocks(checkpoint, name, rows, cols, 1, cols);
    }
    return ScaleGrid.blocks(checkpoint, name, rows, cols, block[0], block[1]);
  }

  private static ColumnGroups groups(
      String matrix, ScaleGrid grid, int cols, Checkpoint checkpoint) {
    var inOrder = grid.columns(cols);
    String name = matrix + ".weight_g_idx";
    if (!checkpoint.has(name)) {
      return inOrder;
    }
    int[] index = Stored.of(checkpoint, name, DType.I32).shaped(cols).integers();
    boolean unset = Arrays.stream(index).allMatch(group -> group == -1);
    return unset ? inOrder : ColumnGroups.indexed(name, index, inOrder.size());
  }

  @Override
  public Reader reader() {
    byte[] out = new byte[groups.cols()];
    int length = packed ? Integer.BYTES * codes.side(1) : 0;
    byte[] words = new byte[length + PackedCodes.BEHIND];
    return packed ? row -> words(row, length, words, out) : row -> bytes(row, out);
  }

  private byte[] words(int row, int length, byte[] words, byte[] out) {
    codes.octets(Math.multiplyFull(row, length), words, length);
    PackedCodes.spread(words, bits, perWord, out);
    return out;
  }

  private byte[] bytes(int row, byte[] out) {
    long start = Math.multiplyFull(row, out.length);
    codes.octets(start, out, out.length);
    for (int c = 0; c < out.length; c++) {
      out[c] ^= (byte) 128; // from −128 to 127 becomes from 0 to 255
    }
    return out;
  }

  @Override
  public int zero(int row, int group) {
    if (zeros == null) {
      return 1 << (bits - 1);
    }
    int down = grid.blockRows() == 0 ? 0 : row / grid.blockRows();
    return packed
        ? new BitStream(zeros, bits, group, grid.across(), zerosPerWord).get(down)
        : zeros.octet(Math.multiplyFull(down, grid.across()) + group) + 128;
  }

  @Override
  public float scale(int row, int group) {
    return grid.of(row, group);
  }

  @Override
  public ScaleType scaleType() {
    return grid.scales().type();
  }

  @Override
  public String scaleTensor() {
    return grid.scales().name();
  }
}
