package dev.millrace.quantizers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Codes of 4 bits, eight at a time: one in each byte of a long. */
final class Nibbles {
  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long LOW = 0x0F0F0F0F0F0F0F0FL;
  private static final long EIGHTS = 0x0808080808080808L;
  private static final long SIGNS = 0x8080808080808080L;

  private Nibbles() {}

  /**
   * Turns eight words of eight nibbles: the n-th byte of long i becomes the i-th nibble of word n.
   */
  static void turn(int[][] words, int w, long[] out) {
    for (int i = 0; i < 8; i++) {
      out[i] = Long.expand(Integer.toUnsignedLong(words[i][w]), LOW);
    }
    swap(out, 4, 0x00000000FFFFFFFFL);
    swap(out, 2, 0x0000FFFF0000FFFFL);
    swap(out, 1, 0x00FF00FF00FF00FFL);
  }

  /** Of squares of bytes, the upper right of two by two with the lower left. */
  private static void swap(long[] rows, int side, long left) {
    for (int i = 0; i < 8; i++) {
      if ((i & side) == 0) {
        long differ = (rows[i] >>> 8 * side ^ rows[i + side]) & left;
        rows[i + side] ^= differ;
        rows[i] ^= differ << 8 * side;
      }
    }
  }

  /** Writes eight bytes, the lowest first. */
  static void put(long eight, byte[] out, int at) {
    EIGHT.set(out, at, eight);
  }

  /**
   * Packs a row as INT4 and CODE4 have it: in each run of 32, the low halves of 16 bytes are the
   * first 16 codes, the high halves the others.
   *
   * @param codes from 0 to 15, or, with a sign, from −8 to 7
   */
  static void pack(byte[] codes, boolean signed, byte[] out) {
    long flip = signed ? EIGHTS : 0; // the same as adding 8 to a nibble
    int whole = codes.length / 32 * 32;
    for (int run = 0; run < whole; run += 32) {
      for (int half = 0; half < 16; half += 8) {
        long low = (long) EIGHT.get(codes, run + half) & LOW ^ flip;
        long high = (long) EIGHT.get(codes, run + half + 16) & LOW ^ flip;
        EIGHT.set(out, run / 2 + half, low | high << 4);
      }
    }
    for (int i = whole; i < codes.length; i++) { // the low halves come first
      int code = codes[i] & 15 ^ (int) flip & 15;
      int at = whole / 2 + i % 16;
      out[at] = (byte) (i % 32 < 16 ? code : out[at] | code << 4);
    }
  }

  /** The low halves of eight bytes, less 8 if they are to have a sign. */
  static void low(byte[] from, int at, boolean signed, byte[] out, int to) {
    put((long) EIGHT.get(from, at) & LOW, signed, out, to);
  }

  /** The high halves of eight bytes, likewise. */
  static void high(byte[] from, int at, boolean signed, byte[] out, int to) {
    put((long) EIGHT.get(from, at) >>> 4 & LOW, signed, out, to);
  }

  private static void put(long eight, boolean signed, byte[] out, int to) {
    // with the sign bits set no byte borrows from its neighbour
    EIGHT.set(out, to, signed ? (eight | SIGNS) - EIGHTS ^ SIGNS : eight);
  }
}
