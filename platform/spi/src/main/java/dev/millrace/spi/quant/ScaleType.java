package dev.millrace.spi.quant;

/**
 * How the scales and zeros of INT8 and INT4 are kept. All of them stand for a number in binary32;
 * {@code docs/device-formats.md} gives each to the bit, {@link PackedLayout#readScales} reads them.
 */
public enum ScaleType {
  /** IEEE 754 binary32. */
  F32,

  /** IEEE 754 binary16. */
  F16,

  /** The upper half of a binary32. */
  BF16,

  /** A signed byte for each group, times a binary16 for each 256 columns. */
  TWO_LEVEL;

  /** Columns that share the second level. */
  public static final int BLOCK = 256;
}
