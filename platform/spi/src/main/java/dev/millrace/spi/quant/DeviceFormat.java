package dev.millrace.spi.quant;

import java.util.Set;

/**
 * The closed list of layouts that device kernels read, and one that they do not: {@link Own}.
 * {@code docs/device-formats.md} gives each to the bit; all are row-major over [rows, cols] of the
 * matrix. {@link PackedLayout} says where the parts are.
 */
public sealed interface DeviceFormat {
  /** IEEE 754 binary32. */
  record F32() implements DeviceFormat {}

  /** The upper half of a binary32. */
  record Bf16() implements DeviceFormat {}

  /** IEEE 754 binary16. */
  record F16() implements DeviceFormat {}

  /**
   * Signed bytes with a scale per row, or per group of a row.
   *
   * @param group columns: 0 for one scale per row; else 16, 32, 64 or 128
   * @param zeros whether each scale has a zero: q · scale − zero, q any byte; else q · scale, q not
   *     −128
   * @param scales how these are kept, and the zeros; with one scale per row not on two levels
   */
  record Int8(int group, boolean zeros, ScaleType scales) implements DeviceFormat {
    public Int8 {
      if (group != 0) {
        checkGroup("INT8", group);
      } else if (scales == ScaleType.TWO_LEVEL) {
        throw new IllegalArgumentException("INT8 by row has no second level of scales");
      }
    }

    /** With scales in binary32. */
    public Int8(int group, boolean zeros) {
      this(group, zeros, ScaleType.F32);
    }

    /** Without zeros. */
    public Int8(int group) {
      this(group, false);
    }
  }

  /**
   * Codes of 4 bits with a scale per group of a row.
   *
   * @param group columns: 16, 32, 64 or 128
   * @param zeros whether each group has a zero: q · scale − zero; else (q − 8) · scale
   * @param scales how these are kept, and the zeros
   */
  record Int4(int group, boolean zeros, ScaleType scales) implements DeviceFormat {
    public Int4 {
      checkGroup("INT4", group);
    }

    /** With scales in binary32. */
    public Int4(int group, boolean zeros) {
      this(group, zeros, ScaleType.F32);
    }
  }

  /**
   * Codes of 4 bits that name numbers of a table, with a scale per group of a row: table[q] ·
   * scale.
   *
   * @param group columns: 16, 32, 64 or 128
   */
  record Code4(int group) implements DeviceFormat {
    public Code4 {
      checkGroup("CODE4", group);
    }
  }

  /**
   * Bytes in E4M3 with a scale per block.
   *
   * @param blockRows rows that share a scale; 0: all
   * @param blockCols columns that share a scale, a multiple of 16; 0: all
   */
  record Fp8(int blockRows, int blockCols) implements DeviceFormat {
    public Fp8 {
      if (blockRows < 0 || blockCols < 0 || blockCols % 16 != 0) {
        throw new IllegalArgumentException(
            "FP8 in blocks of %d rows by %d columns; columns come in sixteens"
                .formatted(blockRows, blockCols));
      }
    }
  }

  /**
   * Bytes that only their plugin reads: by {@link QuantizedMatrix#decodeRow}, and by the {@link
   * RowKernel} that it may bring.
   */
  record Own() implements DeviceFormat {}

  private static void checkGroup(String format, int group) {
    if (!Set.of(16, 32, 64, 128).contains(group)) {
      throw new IllegalArgumentException(
          format + " in groups of " + group + "; known: 16, 32, 64, 128");
    }
  }
}
