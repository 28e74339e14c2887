package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.stream.IntStream;

/**
 * What the zeros and scales of a matrix of integers are like.
 *
 * @param lowest zero
 * @param highest zero
 * @param exact whether scales have so few digits that products with codes and zeros are exact, and
 *     differences of these
 */
record AffineRange(int lowest, int highest, boolean exact) {
  private static final int DIGITS = 16;
  private static final AffineRange NONE =
      new AffineRange(Integer.MAX_VALUE, Integer.MIN_VALUE, true);

  /**
   * Looks at all of them.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if a scale makes weights that are no
   *     numbers
   */
  static AffineRange of(AffineCodes codes) {
    return IntStream.range(0, codes.rows())
        .parallel()
        .mapToObj(row -> of(codes, row))
        .reduce(NONE, AffineRange::and);
  }

  private static AffineRange of(AffineCodes codes, int row) {
    int lowest = NONE.lowest;
    int highest = NONE.highest;
    boolean exact = true;
    for (int group = 0; group < codes.groups().count(); group++) {
      int zero = codes.zero(row, group);
      lowest = Math.min(lowest, zero);
      highest = Math.max(highest, zero);
      float scale = codes.scale(row, group);
      if (!Float.isFinite(scale * (1 << codes.bits()))) {
        throw wrong(codes, row, group, scale, "which makes weights that are no numbers");
      }
      exact &= isShort(scale);
    }
    return new AffineRange(lowest, highest, exact);
  }

  private AffineRange and(AffineRange other) {
    return new AffineRange(
        Math.min(lowest, other.lowest), Math.max(highest, other.highest), exact && other.exact);
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
}
