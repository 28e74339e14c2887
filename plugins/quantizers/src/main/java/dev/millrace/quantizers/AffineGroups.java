package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * The zeros and scales of a matrix of integers, row after row: checkpoints have them side by side
 * for a group, too far apart to be looked up row by row.
 */
final class AffineGroups {
  /** So few that products with codes and zeros are exact, and differences of these. */
  private static final int DIGITS = 16;

  private final int count;
  private final float[] scales;
  private final byte[] zeros;
  private int lowest = Integer.MAX_VALUE;
  private int highest = Integer.MIN_VALUE;
  private boolean exact = true;

  private AffineGroups(int rows, int count) {
    this.count = count;
    this.scales = new float[Math.multiplyExact(rows, count)];
    this.zeros = new byte[scales.length];
  }

  /**
   * Reads all of them.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if a scale makes weights that are no
   *     numbers
   */
  static AffineGroups of(AffineCodes codes) {
    var all = new AffineGroups(codes.rows(), codes.groups().count());
    Packing.forEachPart(codes.rows(), () -> (first, end) -> all.read(codes, first, end));
    return all;
  }

  private void read(AffineCodes codes, int first, int end) {
    int low = Integer.MAX_VALUE;
    int high = Integer.MIN_VALUE;
    boolean all = true;
    for (int group = 0; group < count; group++) {
      for (int row = first; row < end; row++) {
        int zero = codes.zero(row, group);
        low = Math.min(low, zero);
        high = Math.max(high, zero);
        zeros[row * count + group] = (byte) zero;
        float scale = codes.scale(row, group);
        if (!Float.isFinite(scale * (1 << codes.bits()))) {
          throw wrong(codes, row, group, scale, "which makes weights that are no numbers");
        }
        all &= isShort(scale);
        scales[row * count + group] = scale;
      }
    }
    add(low, high, all);
  }

  private synchronized void add(int low, int high, boolean all) {
    lowest = Math.min(lowest, low);
    highest = Math.max(highest, high);
    exact &= all;
  }

  private static boolean isShort(float scale) {
    int spare = Float.floatToRawIntBits(scale) & ((1 << (24 - DIGITS)) - 1);
    float size = Math.abs(scale);
    return spare == 0 && (size == 0 || (size > 0x1p-100f && size < 0x1p100f));
  }

  /** An error about a scale. */
  static InferenceException wrong(AffineCodes codes, int row, int group, float scale, String why) {
    return new InferenceException(
        ErrorCode.INVALID_CHECKPOINT,
        "%s has a scale of %s for row %d, group %d, %s"
            .formatted(codes.scaleTensor(), scale, row, group, why));
  }

  float scale(int row, int group) {
    return scales[row * count + group];
  }

  int zero(int row, int group) {
    return zeros[row * count + group] & 255;
  }

  /** The lowest zero. */
  int lowest() {
    return lowest;
  }

  /** The highest zero. */
  int highest() {
    return highest;
  }

  /** Whether scales have so few digits that weights with zeros are exact. */
  boolean exact() {
    return exact;
  }
}
