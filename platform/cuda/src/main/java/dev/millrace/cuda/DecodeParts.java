package dev.millrace.cuda;

/**
 * Where the parts lie into which the contexts of single rows are cut.
 *
 * @param parts of all rows
 * @param starts the first part of each row, and of the row behind the last
 * @param count how many parts there are
 * @param end of all that
 */
record DecodeParts(long parts, long starts, long count, long end) {
  private static final int PART = 4 * Integer.BYTES;

  /** For a step of up to so many rows. */
  static DecodeParts of(long start, int rows) {
    long starts = start + PackedMatrix.aligned((long) PART * DecodeScratch.parts(rows));
    long count = starts + PackedMatrix.aligned(Integer.BYTES * (rows + 1L));
    return new DecodeParts(start, starts, count, count + PackedMatrix.aligned(Integer.BYTES));
  }
}
