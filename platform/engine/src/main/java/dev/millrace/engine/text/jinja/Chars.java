package dev.millrace.engine.text.jinja;

import java.util.function.IntPredicate;

/** Strings as Python sees them: sequences of code points, with Python's idea of white space. */
final class Chars {
  private Chars() {}

  static boolean isSpace(int point) {
    return switch (point) {
      case '\t', '\n', 0x0b, '\f', '\r', 0x1c, 0x1d, 0x1e, 0x1f, ' ', 0x85 -> true;
      default ->
          point > 0x85
              && Character.getType(point) >= Character.SPACE_SEPARATOR
              && Character.getType(point) <= Character.PARAGRAPH_SEPARATOR;
    };
  }

  static boolean isBlank(String text) {
    return text.codePoints().allMatch(Chars::isSpace);
  }

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The UTF-16 index of a code point index within 0..length. */
  static int offset(String text, int point) {
    return text.offsetByCodePoints(0, point);
  }

  static String stripLeft(String text, IntPredicate drop) {
    int from = 0;
    while (from < text.length() && drop.test(text.codePointAt(from))) {
      from += Character.charCount(text.codePointAt(from));
    }
    return text.substring(from);
  }

  static String stripRight(String text, IntPredicate drop) {
    int to = text.length();
    while (to > 0 && drop.test(text.codePointBefore(to))) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(0, to);
  }

  static String stripRight(String text) {
    return stripRight(text, Chars::isSpace);
  }

  /** Whether Python prints this character as it is inside {@code repr}. */
  static boolean isPrintable(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> point == ' ';
      default -> true;
    };
  }

  /** Characters at which {@code splitlines} cuts. */
  static boolean isLineBreak(int c) {
    return switch (c) {
      case '\n', '\r', 0x0b, '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029 -> true;
      default -> false;
    };
  }
}
