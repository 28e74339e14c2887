package dev.millrace.quantizers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Eight codes of 4 bits at a time. */
final class Nibbles {
  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long LOW = 0x0F0F0F0F0F0F0F0FL;

  private Nibbles() {}

  /** Writes the nibbles of a word as bytes, the lowest first. */
  static void spread(int word, byte[] out, int at) {
    EIGHT.set(out, at, Long.expand(Integer.toUnsignedLong(word), LOW));
  }

  /** Writes the nibbles at {@code shift} of eight words as bytes. */
  static void gather(int[] words, int shift, byte[] out, int at) {
    long bytes = 0;
    for (int i = 0; i < 8; i++) {
      bytes |= ((words[i] >>> shift) & 15L) << (8 * i);
    }
    EIGHT.set(out, at, bytes);
  }
}
