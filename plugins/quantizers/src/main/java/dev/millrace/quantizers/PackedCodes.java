package dev.millrace.quantizers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Takes rows of codes of 2 to 8 bits apart, eight codes at a time, from words of 32 bits that are
 * in an array; the lowest bits come first.
 */
final class PackedCodes {
  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long BYTES = 0x0101010101010101L;

  private PackedCodes() {}

  /**
   * Writes codes as bytes without sign.
   *
   * @param words one after the other, as many as hold all codes of {@code out}
   * @param perWord codes that begin in a word of their own; 0: they are dense, and some lie in two
   *     words
   */
  static void spread(int[] words, int bits, int perWord, byte[] out) {
    if (32 % bits == 0 || perWord == 0) {
      dense(words, bits, out);
      return;
    }
    int mask = (1 << bits) - 1;
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) (words[i / perWord] >>> (i % perWord * bits) & mask);
    }
  }

  private static void dense(int[] words, int bits, byte[] out) {
    long places = ((1L << bits) - 1) * BYTES;
    int whole = out.length / 8 * 8;
    for (int i = 0; i < whole; i += 8) {
      EIGHT.set(out, i, Long.expand(from(words, i * (long) bits), places));
    }
    if (whole < out.length) {
      long rest = Long.expand(from(words, whole * (long) bits), places);
      for (int i = whole; i < out.length; i++) {
        out[i] = (byte) (rest >>> 8 * (i - whole));
      }
    }
  }

  /** The 64 bits from a bit on, or as many as there are. */
  private static long from(int[] words, long bit) {
    int word = (int) (bit >> 5);
    int offset = (int) bit & 31;
    long low = Integer.toUnsignedLong(words[word]);
    long high = word + 1 < words.length ? Integer.toUnsignedLong(words[word + 1]) : 0;
    long both = (low | high << 32) >>> offset;
    boolean third = offset > 0 && word + 2 < words.length;
    return third ? both | Integer.toUnsignedLong(words[word + 2]) << (64 - offset) : both;
  }
}
