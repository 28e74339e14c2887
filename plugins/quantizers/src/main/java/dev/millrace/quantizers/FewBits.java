package dev.millrace.quantizers;

/** Blocks of 256 codes of 2 or 3 bits in sixteen groups. */
final class FewBits {
  private FewBits() {}

  /** 16 bytes of scale (low) and minimum (high), 64 bytes of codes, the F16 factors of both. */
  static void two(byte[] row, int at, byte[] codes, float[] scales, float[] zeros) {
    for (int g = 0; g < 16; g++) {
      scales[g] = row[at + g] & 15;
      zeros[g] = (row[at + g] >> 4) & 15;
    }
    for (int i = 0; i < 256; i++) {
      codes[i] = (byte) pair(row, at + 16, i);
    }
  }

  /**
   * 32 bytes with the third bit of a code, set where 4 is not to be taken from it; 64 bytes with
   * the lower two; 12 bytes with the lower four bits of 16 scales, then the upper two; an F16
   * factor. Scales lie around 32.
   */
  static void three(byte[] row, int at, byte[] codes, float[] scales) {
    for (int g = 0; g < 16; g++) {
      int lower = (row[at + 96 + g % 8] >> (g / 8 * 4)) & 15;
      int upper = (row[at + 104 + g % 4] >> (g / 4 * 2)) & 3;
      scales[g] = (lower | (upper << 4)) - 32;
    }
    for (int i = 0; i < 256; i++) {
      int third = (row[at + i % 32] >> (i / 32)) & 1;
      codes[i] = (byte) (pair(row, at + 32, i) + 4 * third - 4);
    }
  }

  /** Of each 32 bytes, the lowest two bits are 32 columns, the next two the next 32, and so on. */
  static int pair(byte[] row, int at, int i) {
    return (row[at + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3;
  }
}
