package dev.millrace.quantizers;

/**
 * Numbers of so many bits that follow one another in 32-bit words, the lowest bits first.
 *
 * @param words of a matrix of I32
 * @param bits 2 to 8
 * @param start index of the first word
 * @param stride from word to word
 * @param perWord numbers that begin in a word of their own; 0: they are dense, and some lie in two
 *     words where the bits do not divide 32
 */
record BitStream(Stored words, int bits, long start, long stride, int perWord) {
  /** Dense numbers. */
  static BitStream dense(Stored words, int bits, long start, long stride) {
    return new BitStream(words, bits, start, stride, 32 % bits == 0 ? 32 / bits : 0);
  }

  /** Words that hold so many dense numbers. */
  static long words(int count, int bits) {
    return Math.ceilDiv(Math.multiplyFull(count, bits), 32);
  }

  int get(int index) {
    long word = perWord == 0 ? Math.multiplyFull(index, bits) >> 5 : index / perWord;
    int offset = perWord == 0 ? index * bits & 31 : index % perWord * bits;
    long at = start + word * stride;
    int value = words.integer(at) >>> offset;
    if (offset + bits > 32) {
      value |= words.integer(at + stride) << (32 - offset);
    }
    return value & ((1 << bits) - 1);
  }
}
