package dev.millrace.quantizers;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;

/**
 * Scales of blocks of a matrix.
 *
 * @param blockRows rows of a block; 0: all
 * @param blockCols columns of a block; 0: all
 * @param down blocks below one another
 * @param across blocks side by side
 */
record ScaleGrid(Stored scales, int blockRows, int blockCols, int down, int across) {
  private static final DType[] TYPES = {DType.F32, DType.BF16, DType.F16, DType.F8_E8M0};

  /** One scale for all or one for each row, as the shape of the tensor says. */
  static ScaleGrid plain(Checkpoint checkpoint, String name, int rows) {
    var scales = Stored.of(checkpoint, name, TYPES);
    if (scales.tensor().elements() == 1) {
      return new ScaleGrid(scales, 0, 0, 1, 1);
    }
    return new ScaleGrid(scales.shaped(rows, 1), 1, 0, rows, 1);
  }

  /** A scale for each block, whose sides are at least 1. */
  static ScaleGrid blocks(
      Checkpoint checkpoint, String name, int rows, int cols, int blockRows, int blockCols) {
    int down = Math.ceilDiv(rows, blockRows);
    int across = Math.ceilDiv(cols, blockCols);
    var scales = Stored.of(checkpoint, name, TYPES).shaped(down, across);
    return new ScaleGrid(scales, blockRows, blockCols, down, across);
  }

  /** The scale of a row and a group of columns. */
  float of(int row, int group) {
    return at(blockRows == 0 ? 0 : row / blockRows, group);
  }

  float at(int i, int j) {
    return scales.number(Math.multiplyFull(i, across) + j);
  }

  /** The columns that share a scale. */
  ColumnGroups columns(int cols) {
    return ColumnGroups.inOrder(cols, blockCols == 0 ? cols : blockCols);
  }
}
