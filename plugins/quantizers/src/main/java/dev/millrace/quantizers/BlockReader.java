package dev.millrace.quantizers;

import dev.millrace.spi.quant.ScaleType;

/**
 * Takes one block apart: w = code · scale − zero, where the encodings without a minimum have their
 * codes around 0 and no zeros. Blocks of 256 columns have scales and zeros of at most 8 bits, and
 * an F16 factor for each kind.
 */
final class BlockReader {
  /** The codes of the block, column by column. */
  private final byte[] codes;

  /** One per group of columns. */
  private final float[] scales;

  private final float[] zeros;

  private float scaleFactor;
  private float zeroFactor;

  private final GgmlBlock type;

  BlockReader(GgmlBlock type) {
    this.type = type;
    this.codes = new byte[type.columns()];
    this.scales = new float[type.columns() / type.group()];
    this.zeros = new float[scales.length];
  }

  /** Puts the block that was read into a row, as its n-th. */
  void copyTo(CodedRow row, int n) {
    System.arraycopy(codes, 0, row.codes(), n * codes.length, codes.length);
    System.arraycopy(scales, 0, row.scales(), n * scales.length, scales.length);
    System.arraycopy(zeros, 0, row.zeros(), n * zeros.length, zeros.length);
    if (codes.length == ScaleType.BLOCK) {
      row.scaleFactors()[n] = scaleFactor;
      row.zeroFactors()[n] = zeroFactor;
    }
  }

  /** Reads the block that begins at {@code at}. */
  void read(byte[] row, int at) {
    switch (type) {
      case Q4_0 -> {
        scales[0] = half(row, at);
        nibbles(row, at + 2, 0, true);
      }
      case Q4_1 -> {
        scales[0] = half(row, at);
        zeros[0] = -half(row, at + 2);
        nibbles(row, at + 4, 0, false);
      }
      case Q5_0 -> {
        scales[0] = half(row, at);
        nibbles(row, at + 6, 0, false);
        fifthBits(row, at + 2, -16);
      }
      case Q5_1 -> {
        scales[0] = half(row, at);
        zeros[0] = -half(row, at + 2);
        nibbles(row, at + 8, 0, false);
        fifthBits(row, at + 4, 0);
      }
      case Q8_0 -> {
        scales[0] = half(row, at);
        System.arraycopy(row, at + 2, codes, 0, 32);
      }
      case IQ4_NL -> {
        scales[0] = half(row, at);
        nibbles(row, at + 2, 0, false);
      }
      case IQ4_XS -> tableGroups(row, at);
      case MXFP4 -> {
        scales[0] = Float8.e8m0(row[at]);
        nibbles(row, at + 1, 0, false);
      }
      case TQ1_0, TQ2_0 -> Ternary.read(type, row, at, codes, scales);
      case IQ2_XXS -> Lattice.two(row, at, codes, scales);
      case Q4_K, Q5_K, Q6_K, Q2_K, Q3_K, IQ3_S -> readLevels(row, at);
    }
  }

  /** Those whose scales are on two levels. */
  private void readLevels(byte[] row, int at) {
    switch (type) {
      case Q4_K -> {
        scalesAndMinima(row, at);
        pairs(row, at + 16);
      }
      case Q5_K -> {
        scalesAndMinima(row, at);
        pairs(row, at + 48);
        for (int run = 0; run < 8; run++) {
          for (int i = 0; i < 32; i++) {
            codes[32 * run + i] += (byte) (((row[at + 16 + i] >> run) & 1) << 4);
          }
        }
      }
      case Q6_K -> sixBits(row, at);
      case Q2_K -> {
        scaleFactor = half(row, at + 80);
        zeroFactor = half(row, at + 82);
        FewBits.two(row, at, codes, scales, zeros);
      }
      case Q3_K -> {
        scaleFactor = half(row, at + 108);
        FewBits.three(row, at, codes, scales);
      }
      case IQ3_S -> {
        scaleFactor = half(row, at);
        Lattice.three(row, at, codes, scales);
      }
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, IQ4_XS, MXFP4, TQ1_0, TQ2_0, IQ2_XXS ->
          throw new AssertionError(type + " has one level");
    }
  }

  static float half(byte[] row, int at) {
    return Float.float16ToFloat((short) ((row[at] & 0xFF) | (row[at + 1] << 8)));
  }

  /** 16 bytes: the lower halves are the first 16 columns of 32, the upper halves the others. */
  private void nibbles(byte[] row, int at, int column, boolean signed) {
    for (int i = 0; i < 16; i += 8) {
      Nibbles.low(row, at + i, signed, codes, column + i);
      Nibbles.high(row, at + i, signed, codes, column + 16 + i);
    }
  }

  /** 32 bits, the lowest that of column 0; {@code add} goes to each code. */
  private void fifthBits(byte[] row, int at, int add) {
    for (int i = 0; i < 32; i++) {
      codes[i] += (byte) ((((row[at + i / 8] >> (i % 8)) & 1) << 4) + add);
    }
  }

  /** Of each 32 bytes, the lower halves are 32 columns and the upper halves the next 32. */
  private void pairs(byte[] row, int at) {
    for (int i = 0; i < 128; i += 8) {
      int column = i / 32 * 64 + i % 32;
      Nibbles.low(row, at + i, false, codes, column);
      Nibbles.high(row, at + i, false, codes, column + 32);
    }
  }

  /**
   * Two F16 factors, then 12 bytes: six bits each of scales 0 to 3 and minima 0 to 3, whose upper
   * two are the upper two of scales and minima 4 to 7, whose lower four are in the last four bytes.
   */
  private void scalesAndMinima(byte[] row, int at) {
    scaleFactor = half(row, at);
    zeroFactor = half(row, at + 2);
    for (int i = 0; i < 4; i++) {
      int first = row[at + 4 + i];
      int second = row[at + 8 + i];
      int third = row[at + 12 + i];
      scales[i] = first & 63;
      zeros[i] = second & 63;
      scales[i + 4] = (third & 15) | (((first >> 6) & 3) << 4);
      zeros[i + 4] = ((third >> 4) & 15) | (((second >> 6) & 3) << 4);
    }
  }

  /**
   * An F16 factor, 16 bits with the upper two of each scale, four bytes with the lower four, and
   * 128 bytes of nibbles. Scales lie around 32.
   */
  private void tableGroups(byte[] row, int at) {
    float scale = half(row, at);
    int upper = (row[at + 2] & 255) | ((row[at + 3] & 255) << 8);
    for (int i = 0; i < 8; i++) {
      int lower = (row[at + 4 + i / 2] >> (4 * (i % 2))) & 15;
      scales[i] = scale * ((lower | (((upper >> (2 * i)) & 3) << 4)) - 32);
      nibbles(row, at + 8 + 16 * i, 32 * i, false);
    }
  }

  /** 128 bytes of lower four bits, 64 bytes of upper two, 16 signed scales, an F16 factor. */
  private void sixBits(byte[] row, int at) {
    scaleFactor = half(row, at + 208);
    for (int i = 0; i < 16; i++) {
      scales[i] = row[at + 192 + i];
    }
    for (int half = 0; half < 2; half++) {
      for (int run = 0; run < 4; run++) {
        int lower = at + 64 * half + run % 2 * 32;
        int upper = at + 128 + 32 * half;
        for (int i = 0; i < 32; i++) {
          int low = (row[lower + i] >> (run / 2 * 4)) & 15;
          int high = (row[upper + i] >> (run * 2)) & 3;
          codes[128 * half + 32 * run + i] = (byte) ((low | (high << 4)) - 32);
        }
      }
    }
  }
}
