package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;

/** Puts coded rows into a matrix, in its format. Used by one thread. */
sealed interface RowPacker {
  /** Writes a row; its scales and zeros are checked, its codes fit the format. */
  void put(int row, CodedRow coded);

  /** A packer for a matrix in a format that has codes of integers or of a table. */
  static RowPacker of(PackedMatrix matrix) {
    int cols = matrix.cols();
    return switch (matrix.format()) {
      case DeviceFormat.Int8(int group, boolean zeros) ->
          new Bytes(matrix, group == 0 ? cols : group, zeros, new byte[cols]);
      case DeviceFormat.Int4(_, boolean zeros) -> Codes.of(matrix, zeros ? 0 : 8, zeros);
      case DeviceFormat.Code4 _ -> Codes.of(matrix, 0, false);
      case DeviceFormat.F32 _,
          DeviceFormat.Bf16 _,
          DeviceFormat.F16 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          throw new AssertionError("codes in " + matrix.format());
    };
  }

  /**
   * INT8. Without zeros a scale is not negative, so the codes of a group with one that is change
   * sign.
   */
  record Bytes(PackedMatrix matrix, int group, boolean zeros, byte[] bytes) implements RowPacker {
    @Override
    public void put(int row, CodedRow coded) {
      int[] codes = coded.codes();
      float[] scales = coded.scales();
      for (int g = 0; g < scales.length; g++) {
        int end = Math.min(codes.length, (g + 1) * group);
        boolean flip = !zeros && scales[g] < 0;
        for (int i = g * group; i < end; i++) {
          bytes[i] = (byte) (flip ? -codes[i] : codes[i]);
        }
        scales[g] = flip ? -scales[g] : scales[g];
      }
      matrix.put(row, bytes);
      matrix.putScales(row, scales);
      if (zeros) {
        matrix.putZeros(row, coded.zeros());
      }
    }
  }

  /**
   * Codes of 4 bits, which begin at 0.
   *
   * @param moved added to codes that lie around 0
   */
  record Codes(PackedMatrix matrix, int moved, boolean zeros, byte[] bytes) implements RowPacker {
    static Codes of(PackedMatrix matrix, int moved, boolean zeros) {
      return new Codes(matrix, moved, zeros, new byte[16 * Math.ceilDiv(matrix.cols(), 32)]);
    }

    @Override
    public void put(int row, CodedRow coded) {
      int[] codes = coded.codes();
      int whole = codes.length / 32 * 32;
      for (int run = 0; run < whole; run += 32) {
        for (int i = run; i < run + 16; i++) {
          bytes[run / 2 + i - run] = (byte) (codes[i] + moved | (codes[i + 16] + moved) << 4);
        }
      }
      for (int i = whole; i < codes.length; i++) { // the low halves come first
        int code = codes[i] + moved;
        int at = whole / 2 + i % 16;
        bytes[at] = (byte) (i % 32 < 16 ? code : bytes[at] | code << 4);
      }
      matrix.put(row, bytes);
      matrix.putScales(row, coded.scales());
      if (zeros) {
        matrix.putZeros(row, coded.zeros());
      }
    }
  }
}
