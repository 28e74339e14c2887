package dev.millrace.quantizers;

/**
 * A row on its way into a device format: w = code · scale − zero, or table[code] · scale. Used by
 * one thread, row after row.
 *
 * @param codes of all columns, in the order they are packed in
 * @param scales one for each group of columns
 * @param zeros one for each group; 0 where codes lie around 0
 */
record CodedRow(int[] codes, float[] scales, float[] zeros) {
  CodedRow(int cols, int groups) {
    this(new int[cols], new float[groups], new float[groups]);
  }
}
