package dev.millrace.engine.device;

/** The upper half of a binary32. */
public final class Bfloat16 {
  private Bfloat16() {}

  /** The nearest bfloat16, ties to even. */
  public static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40); // rounding could carry a NaN into infinity
    }
    return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
  }

  public static float toFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
