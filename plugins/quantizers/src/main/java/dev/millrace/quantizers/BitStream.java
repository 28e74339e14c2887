package dev.millrace.quantizers;

/**
 * Numbers of so many bits that follow one another in 32-bit words, the lowest bits first; where the
 * bits do not divide 32, some lie in two words.
 *
 * @param words of a matrix [.., ..]
 * @param bits 2 to 8
 * @param start index of the first word
 * @param stride from word to word
 */
record BitStream(Stored words, int bits, long start, long stride) {
  /** Words that hold so many numbers. */
  static long words(int count, int bits) {
    return Math.ceilDiv(Math.multiplyFull(count, bits), 32);
  }

  int get(int index) {
    long bit = Math.multiplyFull(index, bits);
    int offset = (int) (bit & 31);
    long at = start + (bit >> 5) * stride;
    int value = words.integer(at) >>> offset;
    if (offset + bits > 32) {
      value |= words.integer(at + stride) << (32 - offset);
    }
    return value & ((1 << bits) - 1);
  }

  /** Reads all numbers, as bytes without sign. */
  void read(byte[] out) {
    int perWord = 32 / bits;
    int mask = (1 << bits) - 1;
    int whole = 32 % bits == 0 ? out.length / perWord : 0;
    for (int w = 0; w < whole; w++) {
      int word = words.integer(start + w * stride);
      for (int i = w * perWord; i < (w + 1) * perWord; i++) {
        out[i] = (byte) (word & mask);
        word >>>= bits;
      }
    }
    for (int i = whole * perWord; i < out.length; i++) {
      out[i] = (byte) get(i);
    }
  }
}
