package dev.millrace.engine.text.jinja;

/** Decodes the backslash escapes of a string literal as Python does; unknown ones stay. */
final class Escapes {
  private Escapes() {}

  static String decode(String body, int line) {
    if (body.indexOf('\\') < 0) {
      return body;
    }
    var out = new StringBuilder(body.length());
    int at = 0;
    while (at < body.length()) {
      char c = body.charAt(at++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escape = body.charAt(at++);
      switch (escape) {
        case '\n' -> {}
        case '\\', '\'', '"' -> out.append(escape);
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case 'a' -> out.append('\u0007');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'v' -> out.append('\u000b');
        case 'x' -> at = hex(body, at, 2, out, line);
        case 'u' -> at = hex(body, at, 4, out, line);
        case 'U' -> at = hex(body, at, 8, out, line);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> at = octal(body, at - 1, out);
        default -> out.append('\\').append(escape);
      }
    }
    return out.toString();
  }

  private static int hex(String body, int at, int digits, StringBuilder out, int line) {
    int end = at + digits;
    if (end > body.length() || !body.substring(at, end).matches("[0-9a-fA-F]+")) {
      throw JinjaException.syntax("a \\x, \\u or \\U escape needs " + digits + " digits", line);
    }
    long point = Long.parseLong(body.substring(at, end), 16);
    if (point > Character.MAX_CODE_POINT) {
      throw JinjaException.syntax("an escape names no Unicode character", line);
    }
    out.appendCodePoint((int) point);
    return end;
  }

  private static int octal(String body, int from, StringBuilder out) {
    int value = 0;
    int at = from;
    while (at < body.length() && at < from + 3 && "01234567".indexOf(body.charAt(at)) >= 0) {
      value = value * 8 + Character.digit(body.charAt(at++), 8);
    }
    out.append((char) value);
    return at;
  }
}
