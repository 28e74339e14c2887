package dev.millrace.cuda;

/**
 * What a block of {@code multiply_packed} holds of a product at a time.
 *
 * @param format of the codes, {@code int4}, {@code int8} or {@code fp8}
 * @param rows of the activations: 8, 16 or 32
 * @param features of the matrix
 */
record PackedTile(String format, int rows, int features) {
  static final int THREADS = 256;

  /** Bytes of codes of a feature, and those that keep its neighbours out of the same banks. */
  private static final int CODE_ROW = 128 + 16;

  /** Whether two codes of a format share a byte. */
  static boolean hasNibbles(String format) {
    return format.equals("int4") || format.equals("code4");
  }

  static PackedTile of(String format, int rows) {
    return new PackedTile(format, rows, rows == 32 ? 128 : 64);
  }

  /** The rows that tiles have room for. */
  static int paddedRows(int rows) {
    return Math.ceilDiv(rows, 32) * 32;
  }

  String symbol() {
    return "multiply_packed_" + format + "_" + rows;
  }

  int columns() {
    return hasNibbles(format) ? 256 : 128;
  }

  int sharedBytes() {
    int stages = rows == 32 ? 2 : 4;
    int row = Short.BYTES * columns() + 32;
    return stages * (rows * row + features * CODE_ROW);
  }
}
