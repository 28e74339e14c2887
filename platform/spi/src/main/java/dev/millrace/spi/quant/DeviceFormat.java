package dev.millrace.spi.quant;

/**
 * The closed list of layouts that device kernels read. {@code docs/device-formats.md} gives each to
 * the bit; all are row-major over [rows, cols] of the matrix.
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
   * @param group 0: one scale per row; else 16 or 32
   */
  record Int8(int group) implements DeviceFormat {
    public Int8 {
      if (group != 0 && group != 16 && group != 32) {
        throw new IllegalArgumentException("INT8 in groups of " + group + "; known: row, 16, 32");
      }
    }
  }

  /**
   * Codes of 4 bits with a scale per group of a row.
   *
   * @param group columns: 16, 32, 64 or 128
   * @param zeros whether each group has a zero: q · scale − zero; else (q − 8) · scale
   */
  record Int4(int group, boolean zeros) implements DeviceFormat {
    public Int4 {
      if (group != 16 && group != 32 && group != 64 && group != 128) {
        throw new IllegalArgumentException(
            "INT4 in groups of " + group + "; known: 16, 32, 64, 128");
      }
    }
  }
}
