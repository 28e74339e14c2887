package dev.millrace.cuda;

/**
 * Numbers of rows that share a choice of algorithms: 1, 2, 4, 8, every multiple of 8 to 256, the
 * powers of two above. A bucket is named by its most rows.
 */
final class BlasBuckets {
  private static final int STEP = 8;
  private static final int LOGARITHM_OF_STEP = 3;
  private static final int FINE = 256;
  private static final int LOGARITHM_OF_FINE = 8;
  private static final int LAST_FINE = LOGARITHM_OF_STEP + FINE / STEP - 1;

  /** How many there are, to 2^30 rows. */
  static final int COUNT = LAST_FINE + 1 + 30 - LOGARITHM_OF_FINE;

  private BlasBuckets() {}

  /** The bucket of so many rows, counted from 0. */
  static int of(int rows) {
    if (rows <= STEP) {
      return logarithm(rows);
    }
    if (rows <= FINE) {
      return LOGARITHM_OF_STEP - 1 + Math.ceilDiv(rows, STEP);
    }
    return LAST_FINE - LOGARITHM_OF_FINE + logarithm(rows);
  }

  /** The most rows of a bucket. */
  static int rows(int bucket) {
    if (bucket <= LOGARITHM_OF_STEP) {
      return 1 << bucket;
    }
    if (bucket <= LAST_FINE) {
      return STEP * (bucket + 1 - LOGARITHM_OF_STEP);
    }
    return 1 << (bucket - LAST_FINE + LOGARITHM_OF_FINE);
  }

  /** Rounded up. */
  private static int logarithm(int rows) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(rows - 1);
  }
}
