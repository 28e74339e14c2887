package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;

/** Puts coded rows into a matrix, in its format. Used by one thread. */
sealed interface RowPacker {
  /** Writes a row; its scales and zeros are checked, its codes fit the format. */
  void put(int row, CodedRow coded);

  /** A packer for a matrix in a format that has codes of integers or of a table. */
  static RowPacker of(PackedMatrix matrix) {
    int cols = matrix.cols();
    return switch (matrix.format()) {
      case DeviceFormat.Int8(int group, boolean zeros, var scales) ->
          new Bytes(
              matrix, group == 0 ? cols : group, zeros || scales == ScaleType.TWO_LEVEL, zeros);
      case DeviceFormat.Int4(_, boolean zeros, _) -> Codes.of(matrix, !zeros, zeros);
      case DeviceFormat.Code4 _ -> Codes.of(matrix, false, false);
      case DeviceFormat.F32 _,
          DeviceFormat.Bf16 _,
          DeviceFormat.F16 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          throw new AssertionError("codes in " + matrix.format());
    };
  }

  /**
   * INT8. Where a scale may not be negative, the codes of a group with one that is change sign.
   *
   * @param signed whether it may be
   */
  record Bytes(PackedMatrix matrix, int group, boolean signed, boolean zeros) implements RowPacker {
    @Override
    public void put(int row, CodedRow coded) {
      if (!signed) {
        makePositive(coded.scales(), coded.codes());
      }
      matrix.put(row, coded.codes());
      matrix.putScales(row, coded);
      if (zeros) {
        matrix.putZeros(row, coded);
      }
    }

    private void makePositive(float[] scales, byte[] codes) {
      for (int g = 0; g < scales.length; g++) {
        if (scales[g] < 0) {
          int end = Math.min(codes.length, (g + 1) * group);
          for (int i = g * group; i < end; i++) {
            codes[i] = (byte) -codes[i];
          }
          scales[g] = -scales[g];
        }
      }
    }
  }

  /**
   * Codes of 4 bits.
   *
   * @param signed whether they lie around 0, and are to begin there
   */
  record Codes(PackedMatrix matrix, boolean signed, boolean zeros, byte[] bytes)
      implements RowPacker {
    static Codes of(PackedMatrix matrix, boolean signed, boolean zeros) {
      return new Codes(matrix, signed, zeros, new byte[16 * Math.ceilDiv(matrix.cols(), 32)]);
    }

    @Override
    public void put(int row, CodedRow coded) {
      Nibbles.pack(coded.codes(), signed, bytes);
      matrix.put(row, bytes);
      matrix.putScales(row, coded);
      if (zeros) {
        matrix.putZeros(row, coded);
      }
    }
  }
}
