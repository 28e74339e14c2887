package dev.millrace.engine.text.jinja;

import java.util.Locale;
import java.util.function.IntPredicate;

/** Upper, lower and title case, and character classes, as Python's {@code str} has them. */
final class Cases {
  private Cases() {}

  /** Each run of letters with its first in title case. */
  static String title(String text) {
    var out = new StringBuilder(text.length());
    boolean inWord = false;
    for (int point : text.codePoints().toArray()) {
      String character = Character.toString(point);
      out.append(inWord ? character.toLowerCase(Locale.ROOT) : titleCase(character, point));
      inWord = isCased(point);
    }
    return out.toString();
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    int after = Character.charCount(first);
    return titleCase(text.substring(0, after), first)
        + text.substring(after).toLowerCase(Locale.ROOT);
  }

  private static String titleCase(String character, int point) {
    int title = Character.toTitleCase(point);
    return title != point ? Character.toString(title) : capital(character.toUpperCase(Locale.ROOT));
  }

  /** Of an upper case form of several letters, such as that of a ligature, only the first. */
  private static String capital(String upper) {
    return upper.codePointCount(0, upper.length()) <= 1
        ? upper
        : upper.substring(0, Character.charCount(upper.codePointAt(0)))
            + upper.substring(Character.charCount(upper.codePointAt(0))).toLowerCase(Locale.ROOT);
  }

  /** Each character without its case, whatever stands beside it. */
  static String fold(String text) {
    var out = new StringBuilder(text.length());
    text.codePoints()
        .mapToObj(point -> Character.toString(point).toUpperCase(Locale.ROOT))
        .flatMapToInt(String::codePoints)
        .forEach(point -> out.append(Character.toString(point).toLowerCase(Locale.ROOT)));
    return out.toString();
  }

  static boolean isTitle(String text) {
    return text.codePoints().anyMatch(Cases::isCased) && title(text).equals(text);
  }

  static String swap(String text) {
    var out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(point -> {
          String character = Character.toString(point);
          out.append(
              Character.isUpperCase(point)
                  ? character.toLowerCase(Locale.ROOT)
                  : character.toUpperCase(Locale.ROOT));
        });
    return out.toString();
  }

  private static boolean isCased(int point) {
    return Character.isUpperCase(point)
        || Character.isLowerCase(point)
        || Character.isTitleCase(point);
  }

  /** Whether there are cased characters and all of them are of this case. */
  static boolean isCased(String text, IntPredicate wanted) {
    return text.codePoints().anyMatch(Cases::isCased)
        && text.codePoints().filter(Cases::isCased).allMatch(wanted);
  }

  static boolean all(String text, IntPredicate wanted) {
    return !text.isEmpty() && text.codePoints().allMatch(wanted);
  }

  static boolean isNumeric(int point) {
    return switch (Character.getType(point)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }
}
