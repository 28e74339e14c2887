package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Collects the blocks of one row in a device format, then puts the row into its matrix. */
sealed interface RowPacker {
  /**
   * Adds a block that begins at this column.
   *
   * @return false if the format cannot hold it
   */
  boolean add(BlockReader block, int column);

  /** Writes the row. */
  void finish(int row);

  /** A packer for the format of a matrix, whose groups are as long as those of the blocks. */
  static RowPacker of(GroupedMatrix matrix, int group) {
    return switch (matrix.format()) {
      case DeviceFormat.Int8 _ -> new Bytes(matrix, group);
      case DeviceFormat.Int4(_, boolean zeros) -> new Nibbles(matrix, group, zeros);
      case DeviceFormat.F32 _ -> new Floats(matrix, group);
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ ->
          throw new AssertionError("blocks in " + matrix.format());
    };
  }

  /** INT8: scales are not negative, so the codes of a group with one that is change sign. */
  final class Bytes implements RowPacker {
    private final GroupedMatrix matrix;
    private final int group;
    private final byte[] codes;
    private final float[] scales;

    private Bytes(GroupedMatrix matrix, int group) {
      this.matrix = matrix;
      this.group = group;
      this.codes = new byte[matrix.cols()];
      this.scales = new float[matrix.groups()];
    }

    @Override
    public boolean add(BlockReader block, int column) {
      for (int i = 0; i < block.codes.length; i++) {
        int code = block.scales[i / group] < 0 ? -block.codes[i] : block.codes[i];
        if (code < -127 || code > 127) {
          return false;
        }
        codes[column + i] = (byte) code;
      }
      for (int g = 0; g < block.scales.length; g++) {
        scales[column / group + g] = Math.abs(block.scales[g]);
      }
      return true;
    }

    @Override
    public void finish(int row) {
      matrix.put(row, codes);
      matrix.putScales(row, scales);
    }
  }

  /** INT4, whose codes begin at 0: those around 0 are moved by 8 where there are no zeros. */
  final class Nibbles implements RowPacker {
    private final GroupedMatrix matrix;
    private final int group;
    private final boolean withZeros;
    private final byte[] codes;
    private final float[] scales;
    private final float[] zeros;

    private Nibbles(GroupedMatrix matrix, int group, boolean withZeros) {
      this.matrix = matrix;
      this.group = group;
      this.withZeros = withZeros;
      this.codes = new byte[16 * Math.ceilDiv(matrix.cols(), 32)];
      this.scales = new float[matrix.groups()];
      this.zeros = new float[matrix.groups()];
    }

    @Override
    public boolean add(BlockReader block, int column) {
      int moved = withZeros ? 0 : 8;
      for (int run = 0; run < block.codes.length; run += 32) {
        for (int i = 0; i < 16; i++) {
          int low = block.codes[run + i] + moved;
          int high = block.codes[run + 16 + i] + moved;
          codes[(column + run) / 2 + i] = (byte) (low | (high << 4));
        }
      }
      System.arraycopy(block.scales, 0, scales, column / group, block.scales.length);
      System.arraycopy(block.zeros, 0, zeros, column / group, block.zeros.length);
      return true;
    }

    @Override
    public void finish(int row) {
      matrix.put(row, codes);
      matrix.putScales(row, scales);
      if (withZeros) {
        matrix.putZeros(row, zeros);
      }
    }
  }

  /** The weights themselves, computed as ggml computes them. */
  final class Floats implements RowPacker {
    private final GroupedMatrix matrix;
    private final int group;
    private final byte[] bytes;
    private final ByteBuffer weights;

    private Floats(GroupedMatrix matrix, int group) {
      this.matrix = matrix;
      this.group = group;
      this.bytes = new byte[Math.multiplyExact(4, matrix.cols())];
      this.weights = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean add(BlockReader block, int column) {
      for (int i = 0; i < block.codes.length; i++) {
        float weight = block.codes[i] * block.scales[i / group] - block.zeros[i / group];
        weights.putFloat(4 * (column + i), weight);
      }
      return true;
    }

    @Override
    public void finish(int row) {
      matrix.put(row, bytes);
    }
  }
}
