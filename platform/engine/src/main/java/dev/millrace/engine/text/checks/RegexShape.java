package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What a regular expression in the syntax of Oniguruma matches at least, in characters. Where a
 * construct is not known, it counts as nothing. Whether the expression is sound is left to the
 * library, which says so; but it reads groups by recursion, and deep ones overrun the stack.
 *
 * @param least the fewest characters that a match has
 */
record RegexShape(int least) {
  /** The library's stack of one MiB holds over 1,000. */
  private static final int DEEPEST = 100;

  private static final int LONGEST = 20_000;

  /**
   * Checks an expression.
   *
   * @throws dev.millrace.spi.InferenceException INVALID_CHECKPOINT if it is longer or nested deeper
   *     than any tokenizer's
   */
  static RegexShape check(JsonNode expression, CheckedFile file) {
    String text = expression.asText();
    if (text.length() > LONGEST) {
      throw file.refused(
          "has a regular expression of %d characters; the most is %d"
              .formatted(text.length(), LONGEST));
    }
    var reader = new Reader(text);
    int least = reader.alternatives();
    if (reader.tooDeep) {
      throw file.refused(
          "has the regular expression %s, nested more than %d deep"
              .formatted(CheckedFile.shown(expression), DEEPEST));
    }
    return new RegexShape(reader.unknown ? 0 : least);
  }

  private static final class Reader {
    private final String text;
    private int at;
    private int depth;
    private boolean tooDeep;
    private boolean unknown;

    Reader(String text) {
      this.text = text;
    }

    private char next() {
      return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean skip(String expected) {
      boolean found = text.startsWith(expected, at);
      at += found ? expected.length() : 0;
      return found;
    }

    /** Up to the end or the bracket that closes the group. */
    int alternatives() {
      int least = Integer.MAX_VALUE;
      int branch = 0;
      while (at < text.length() && next() != ')' && !tooDeep) {
        if (skip("|")) {
          least = Math.min(least, branch);
          branch = 0;
        } else {
          branch = Math.min(LONGEST, branch + repeated(atom()));
        }
      }
      return Math.min(least, branch);
    }

    private int atom() {
      char c = next();
      at++;
      return switch (c) {
        case '(' -> group();
        case '[' -> set();
        case '\\' -> escape();
        case '^', '$' -> 0;
        default -> {
          at += Character.isHighSurrogate(c) ? 1 : 0;
          yield 1;
        }
      };
    }

    private int group() {
      boolean empty = false;
      if (skip("?")) {
        empty = skip("=") || skip("!") || skip("<=") || skip("<!");
        if (!empty && !skip(":") && !skip(">")) {
          options();
        }
      }
      depth++;
      tooDeep |= depth > DEEPEST;
      int least = alternatives();
      depth--;
      skip(")");
      return empty ? 0 : least;
    }

    /** {@code (?i:}, {@code (?i)}; anything else that may follow a question mark is not known. */
    private void options() {
      while (next() == 'i' || next() == 'm' || next() == '-') {
        at++;
      }
      unknown |= next() != ':' && next() != ')';
      skip(":");
    }

    private int set() {
      skip("^");
      skip("]"); // at the beginning it is one of the set
      depth++;
      tooDeep |= depth > DEEPEST;
      while (at < text.length() && next() != ']' && !tooDeep) {
        char c = next();
        at++;
        if (c == '[') {
          set();
        } else if (c == '\\') {
          at++;
        }
      }
      depth--;
      skip("]");
      return 1;
    }

    private int escape() {
      char c = next();
      at++;
      // references, and codes that are followed by more
      unknown |= "KkgyYNOcCM".indexOf(c) >= 0 || (c >= '0' && c <= '9');
      boolean code = c == 'x' || c == 'u';
      if ((code || c == 'p' || c == 'P') && next() == '{') {
        at = Math.max(at, text.indexOf('}', at) + 1);
      } else if (code) {
        for (int n = c == 'x' ? 2 : 4; n > 0 && Character.digit(next(), 16) >= 0; n--) {
          at++;
        }
      }
      return "bBAzZG".indexOf(c) >= 0 ? 0 : 1;
    }

    /** What an atom matches at least, with the quantifiers after it. */
    private int repeated(int atom) {
      int least = atom;
      boolean simple = false;
      while (at < text.length()) {
        boolean modifies = simple;
        simple = false;
        if (skip("+")) {
          simple = !modifies;
        } else if (skip("*")) {
          least = 0;
          simple = true;
        } else if (skip("?")) {
          least = modifies ? least : 0;
          simple = !modifies;
        } else if (next() == '{' && text.indexOf('}', at) > 0) {
          least = Math.min(LONGEST, least * count());
        } else {
          return least;
        }
      }
      return least;
    }

    /** The fewest times of {@code {2,3}}; what is no number between braces counts as none. */
    private int count() {
      int end = text.indexOf('}', at);
      String first = text.substring(at + 1, end).split(",", 2)[0];
      at = end + 1;
      return first.matches("[0-9]{1,5}") ? Math.min(LONGEST, Integer.parseInt(first)) : 0;
    }
  }
}
