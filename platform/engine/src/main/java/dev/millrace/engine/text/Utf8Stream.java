package dev.millrace.engine.text;

/**
 * UTF-8 decoded byte by byte: a character appears when its last byte does, and each maximal part of
 * a malformed sequence becomes one U+FFFD. The parts are those of the Unicode standard, which the
 * tokenizer library follows too; the JDK's decoder counts surrogates differently.
 */
final class Utf8Stream {
  private static final char REPLACEMENT = '\uFFFD';

  private int point;
  private int missing;
  private int lowest = 0x80;
  private int highest = 0xBF;

  void add(byte next, StringBuilder out) {
    int b = next & 0xFF;
    if (missing > 0) {
      if (b >= lowest && b <= highest) {
        point = (point << 6) | (b & 0x3F);
        lowest = 0x80;
        highest = 0xBF;
        if (--missing == 0) {
          out.appendCodePoint(point);
        }
        return;
      }
      finish(out);
    }
    start(b, out);
  }

  private void start(int b, StringBuilder out) {
    if (b < 0x80) {
      out.append((char) b);
    } else if (b >= 0xC2 && b <= 0xDF) {
      expect(1, b & 0x1F, 0x80, 0xBF);
    } else if (b >= 0xE0 && b <= 0xEF) {
      expect(2, b & 0x0F, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
    } else if (b >= 0xF0 && b <= 0xF4) {
      expect(3, b & 0x07, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
    } else {
      out.append(REPLACEMENT);
    }
  }

  private void expect(int bytes, int bits, int low, int high) {
    missing = bytes;
    point = bits;
    lowest = low;
    highest = high;
  }

  /** Ends the stream: a character still incomplete becomes U+FFFD. */
  void finish(StringBuilder out) {
    if (missing > 0) {
      out.append(REPLACEMENT);
      missing = 0;
    }
    lowest = 0x80;
    highest = 0xBF;
  }
}
