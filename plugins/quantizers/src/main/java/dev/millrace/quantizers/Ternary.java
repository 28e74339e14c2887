package dev.millrace.quantizers;

/** Blocks of 256 digits that stand for −1, 0 and 1, with one scale. */
final class Ternary {
  private static final int[] POWERS = {1, 3, 9, 27, 81};

  private Ternary() {}

  static void read(GgmlBlock type, byte[] row, int at, byte[] codes, float[] scales) {
    float scale;
    if (type == GgmlBlock.TQ1_0) {
      scale = BlockReader.half(row, at + 52);
      digits(row, at, 32, 5, codes, 0);
      digits(row, at + 32, 16, 5, codes, 160);
      digits(row, at + 48, 4, 4, codes, 240);
    } else {
      scale = BlockReader.half(row, at + 64);
      for (int i = 0; i < 256; i++) {
        codes[i] = (byte) (FewBits.pair(row, at, i) - 1);
      }
    }
    scales[0] = scale;
    scales[1] = scale;
  }

  /**
   * Bytes that are fractions of 256 in base 3: the first digits of all, then the second digits, and
   * so on.
   */
  private static void digits(byte[] row, int at, int bytes, int each, byte[] codes, int column) {
    for (int digit = 0; digit < each; digit++) {
      for (int i = 0; i < bytes; i++) {
        int rest = ((row[at + i] & 255) * POWERS[digit]) & 255;
        codes[column + digit * bytes + i] = (byte) (((rest * 3) >> 8) - 1);
      }
    }
  }
}
