package dev.millrace.quantizers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Takes rows of codes of 2 to 8 bits apart, eight codes at a time. They lie in little-endian words
 * of 32 bits, the lowest bits first.
 */
final class PackedCodes {
  /** Bytes that are read behind those of a row, whatever is in them. */
  static final int BEHIND = 7;

  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long EACH = 0x0101010101010101L;

  private PackedCodes() {}

  /**
   * Writes codes as bytes without sign.
   *
   * @param words those of the row, and {@link #BEHIND}
   * @param perWord codes that begin in a word of their own; 0: they are dense, and some lie in two
   *     words where the bits do not divide 32
   */
  static void spread(byte[] words, int bits, int perWord, byte[] out) {
    if (perWord > 0 && 32 % bits != 0) {
      int mask = (1 << bits) - 1;
      for (int i = 0; i < out.length; i++) {
        int word = (int) WORD.get(words, i / perWord * Integer.BYTES);
        out[i] = (byte) (word >>> (i % perWord * bits) & mask);
      }
      return;
    }
    long places = ((1L << bits) - 1) * EACH;
    int whole = out.length / 8;
    for (int i = 0; i < whole; i++) { // eight codes are as many bytes as one has bits
      EIGHT.set(out, 8 * i, Long.expand((long) EIGHT.get(words, bits * i), places));
    }
    if (8 * whole < out.length) {
      long rest = Long.expand((long) EIGHT.get(words, bits * whole), places);
      for (int i = 8 * whole; i < out.length; i++) {
        out[i] = (byte) (rest >>> 8 * (i - 8 * whole));
      }
    }
  }

  /** Puts a word of a row in place. */
  static void put(byte[] words, int index, int word) {
    WORD.set(words, index * Integer.BYTES, word);
  }
}
