package dev.millrace.cuda;

/**
 * Where attention of single rows puts what it makes of parts of their contexts.
 *
 * @param queries rotated, of all rows of the step
 * @param sums of each part and head, then their {@code stats}
 */
record DecodeScratch(long queries, long sums, long stats, long end) {
  /** Parts beyond two a row that a step may have; {@link PartLength} cuts contexts accordingly. */
  private static final int MORE_PARTS = 2048;

  /** Parts of all rows of a step. */
  static int parts(int rows) {
    return 2 * rows + MORE_PARTS;
  }

  /** For so many rows of so many heads; without sums and stats where no parts are made. */
  static DecodeScratch of(
      Precision precision, int heads, int headDim, boolean parts, long start, int rows) {
    long sums = start + PackedMatrix.aligned((long) precision.bytes() * rows * heads * headDim);
    long each = parts ? (long) Float.BYTES * parts(rows) * heads : 0;
    long stats = sums + PackedMatrix.aligned(each * headDim);
    return new DecodeScratch(start, sums, stats, stats + PackedMatrix.aligned(2 * each));
  }
}
