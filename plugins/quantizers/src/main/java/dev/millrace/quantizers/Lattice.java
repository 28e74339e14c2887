package dev.millrace.quantizers;

/** Blocks of eight groups of 32 columns, which are points of a lattice with signs. */
final class Lattice {
  private Lattice() {}

  /** An F16 scale, then groups whose own are between its eighth and 31 eighths. */
  static void two(byte[] row, int at, byte[] codes, float[] scales) {
    float scale = BlockReader.half(row, at);
    for (int g = 0; g < 8; g++) {
      scales[g] = twoBits(row, at + 2 + 8 * g, scale, codes, 32 * g);
    }
  }

  /** An F16 factor, then groups. */
  static void three(byte[] row, int at, byte[] codes, float[] scales) {
    for (int g = 0; g < 8; g++) {
      scales[g] = threeBits(row, at + 2, g, codes);
    }
  }

  /**
   * Four bytes that name points of eight, then 32 bits: seven signs of each, whose eighth makes
   * them even, and four bits of scale.
   */
  private static float twoBits(byte[] row, int at, float scale, byte[] codes, int column) {
    int word = 0;
    for (int i = 0; i < 4; i++) {
      word |= (row[at + 4 + i] & 255) << (8 * i);
    }
    for (int point = 0; point < 4; point++) {
      int signs = (word >>> (7 * point)) & 127;
      signs |= (Integer.bitCount(signs) & 1) << 7;
      for (int i = 0; i < 8; i++) {
        int size = GgmlGrids.iq2xxs(row[at + point] & 255, i);
        codes[column + 8 * point + i] = (byte) ((signs >> i & 1) == 0 ? size : -size);
      }
    }
    return scale * (0.5f + (word >>> 28)) * 0.25f;
  }

  /**
   * 64 bytes with the lower eight bits of points of four, 8 with their ninth, 32 of signs, 4 with
   * two scales each.
   */
  private static int threeBits(byte[] row, int at, int group, byte[] codes) {
    for (int i = 32 * group; i < 32 * group + 32; i++) {
      int ninth = (row[at + 64 + group] >> (i / 4 % 8)) & 1;
      int size = GgmlGrids.iq3s((row[at + i / 4] & 255) | (ninth << 8), i % 4);
      codes[i] = (byte) ((row[at + 72 + i / 8] >> (i % 8) & 1) == 0 ? size : -size);
    }
    int factor = (row[at + 104 + group / 2] >> (4 * (group % 2))) & 15;
    return 1 + 2 * factor;
  }
}
