package dev.millrace.engine.quantize;

import dev.millrace.engine.load.FloatCodec;

/**
 * What the codes of a group stand for: {@code (code − zero) · scale}.
 *
 * @param scale not negative; 0 where all weights are 0
 */
record Step(float scale, int zero) {

  /**
   * A step for weights around 0, with the zero in the middle of the codes. Of 8 bits the lowest
   * code is left out, so that no code stands for more than the largest.
   *
   * @param reach largest magnitude that a code shall reach
   * @param stored what scales are written in
   */
  static Step symmetric(float reach, int bits, FloatCodec stored) {
    int middle = 1 << (bits - 1);
    float half = bits == 8 ? middle - 1 : middle - 0.5f;
    return new Step(rounded(reach / half, stored), middle);
  }

  /**
   * A step for weights between two numbers, of which one is at most and one at least 0.
   *
   * @param stored what scales are written in
   */
  static Step between(float lowest, float highest, int bits, FloatCodec stored) {
    int last = (1 << bits) - 1;
    float scale = rounded((highest - lowest) / last, stored);
    return new Step(
        scale, scale == 0 ? 0 : Math.clamp((int) Math.rint(-lowest / (double) scale), 0, last));
  }

  /** Weights so small that their scale cannot be written become 0. */
  private static float rounded(float scale, FloatCodec stored) {
    return stored.round(scale);
  }

  /** The nearest code. */
  int code(float weight, int bits) {
    int lowest = bits == 8 ? 1 : 0;
    return scale == 0
        ? zero
        : Math.clamp((int) Math.rint(weight / scale) + zero, lowest, (1 << bits) - 1);
  }

  float value(int code) {
    return (code - zero) * scale;
  }
}
