package dev.millrace.cuda;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import java.lang.foreign.MemorySegment;

/**
 * The scales of blocks of a matrix in FP8, as kernels read them: those of each row, for each group
 * of its columns, as if it were INT8.
 */
record BlockScales(DeviceFormat.Fp8 format, PackedLayout layout, int cols) {
  /** Most columns of a group, unless it is all of them. */
  private static final int MOST = 128;

  /**
   * Columns that share a scale, which all kernels take and blocks are whole multiples of; 0: all.
   */
  int group() {
    return Math.min(MOST, Integer.lowestOneBit(format.blockCols()));
  }

  /** Scales of a row. */
  int groups() {
    return group() == 0 ? 1 : Math.ceilDiv(cols, group());
  }

  /** Reads those of a row from the packed form, as {@link PackedLayout#readScales}. */
  void read(MemorySegment packed, int row, float[] out, int to) {
    float[] blocks = new float[layout.groups()];
    layout.readScales(packed, format.blockRows() == 0 ? 0 : row / format.blockRows(), blocks, 0);
    for (int g = 0; g < groups(); g++) {
      out[to + g] = blocks[group() == 0 ? 0 : g * group() / format.blockCols()];
    }
  }
}
