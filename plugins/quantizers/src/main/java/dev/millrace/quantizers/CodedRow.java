package dev.millrace.quantizers;

import dev.millrace.spi.quant.ScaleType;

/**
 * A row on its way into a device format: w = code · scale − zero, or table[code] · scale. Used by
 * one thread, row after row.
 *
 * @param codes of all columns, in the order they are packed in; numbers with a sign where the
 *     format has them, else without
 * @param scales one for each group of columns; on two levels a whole number of a byte
 * @param zeros one for each group, likewise; 0 where codes lie around 0
 * @param scaleFactors what scales are to be multiplied with, one for each 256 columns; only on two
 *     levels
 * @param zeroFactors the same for zeros
 */
record CodedRow(
    byte[] codes, float[] scales, float[] zeros, float[] scaleFactors, float[] zeroFactors) {
  CodedRow(int cols, int groups) {
    this(
        new byte[cols],
        new float[groups],
        new float[groups],
        new float[Math.ceilDiv(cols, ScaleType.BLOCK)],
        new float[Math.ceilDiv(cols, ScaleType.BLOCK)]);
  }
}
