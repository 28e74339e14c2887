package dev.millrace.engine.text;

import java.nio.charset.StandardCharsets;

/**
 * The alphabet in which byte-level BPE writes bytes: printable Latin-1 characters stand for
 * themselves, the other 68 bytes for the characters from U+0100 on.
 */
public final class ByteAlphabet {
  private static final byte[] BYTES = new byte[0x100 + 68];
  private static final boolean[] MEMBER = new boolean[BYTES.length];
  private static final char[] LETTERS = new char[256];

  static {
    int next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xFF && b != 0xAD);
      int letter = printable ? b : next++;
      BYTES[letter] = (byte) b;
      LETTERS[b] = (char) letter;
      MEMBER[letter] = true;
    }
  }

  private ByteAlphabet() {}

  /** How bytes are spelt. */
  public static String letters(byte[] bytes) {
    var letters = new char[bytes.length];
    for (int i = 0; i < letters.length; i++) {
      letters[i] = LETTERS[bytes[i] & 0xFF];
    }
    return new String(letters);
  }

  /** The bytes a token spells; a token with any other character is plain text. */
  static byte[] bytes(String content) {
    var bytes = new byte[content.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = content.charAt(i);
      if (c >= BYTES.length || !MEMBER[c]) {
        return content.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = BYTES[c];
    }
    return bytes;
  }
}
