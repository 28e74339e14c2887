package dev.millrace.quantizers;

/**
 * Numbers of 8 bits: OCP's E4M3 (without infinities) and E5M2, and the bare exponents of E8M0.
 *
 * @see <a href="https://www.opencompute.org/documents/ocp-8-bit-floating-point-specification-ofp8">
 *     OFP8</a>
 */
final class Float8 {
  /** The largest number of E4M3. */
  static final int LARGEST = 448;

  private static final int LOWEST_EXPONENT = -6;
  private static final float[] E4M3 = new float[256];

  static {
    for (int bits = 0; bits < 256; bits++) {
      int exponent = (bits >> 3) & 15;
      int mantissa = bits & 7;
      float size =
          exponent == 0 ? Math.scalb(mantissa, -9) : Math.scalb(8 + mantissa, exponent - 10);
      float number = (bits & 127) == 127 ? Float.NaN : size;
      E4M3[bits] = bits > 127 ? -number : number;
    }
  }

  private Float8() {}

  static float e4m3(byte bits) {
    return E4M3[bits & 255];
  }

  /** The nearest number of E4M3, of two the even one; beyond the largest, that one. */
  static byte toE4m3(float number) {
    float size = Math.min(Math.abs(number), LARGEST);
    int exponent = Math.max(Math.getExponent(size), LOWEST_EXPONENT);
    // eighths of the power of two, from 8 on; below the lowest, from 0 on
    int eighths = (int) Math.rint(Math.scalb(size, 3 - exponent));
    int bits = 8 * (exponent - LOWEST_EXPONENT) + eighths;
    return (byte) (number < 0 ? bits | 128 : bits);
  }

  /** The upper half of a binary16. */
  static float e5m2(byte bits) {
    return Float.float16ToFloat((short) (bits << 8));
  }

  /** A power of two; 255 is not a number. */
  static float e8m0(byte bits) {
    int exponent = bits & 255;
    return exponent == 255 ? Float.NaN : Math.scalb(1f, exponent - 127);
  }
}
