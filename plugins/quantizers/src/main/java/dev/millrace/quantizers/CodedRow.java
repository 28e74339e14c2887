package dev.millrace.quantizers;

/**
 * A row on its way into a device format: w = code · scale − zero, or table[code] · scale. Used by
 * one thread, row after row.
 *
 * @param codes of all columns, in the order they are packed in; numbers with a sign where the
 *     format has them, else without
 * @param scales one for each group of columns
 * @param zeros one for each group; 0 where codes lie around 0
 */
record CodedRow(byte[] codes, float[] scales, float[] zeros) {
  CodedRow(int cols, int groups) {
    this(new byte[cols], new float[groups], new float[groups]);
  }
}
