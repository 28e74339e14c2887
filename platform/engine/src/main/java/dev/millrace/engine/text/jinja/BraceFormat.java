package dev.millrace.engine.text.jinja;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code "{}".format(...)}, with attributes looked up as the sandbox does. */
final class BraceFormat {
  private static final Pattern FIELD =
      Pattern.compile(
          "([^.\\[!:]*)((?:\\.[^.\\[!:]+|\\[[^\\]]+\\])*)(?:!([rsa]))?(?::(.*))?", Pattern.DOTALL);
  private static final Pattern STEP = Pattern.compile("\\.([^.\\[]+)|\\[([^\\]]+)\\]");
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\\d{1,8})?([,_])?(?:\\.(\\d{1,8}))?([a-zA-Z%])?",
          Pattern.DOTALL);

  private final Arguments arguments;
  private final Meter meter;
  private int automatic;

  private BraceFormat(Arguments arguments, Meter meter) {
    this.arguments = arguments;
    this.meter = meter;
  }

  static Object format(String format, Arguments arguments, Meter meter) {
    return new BraceFormat(arguments, meter).run(format);
  }

  private String run(String format) {
    var out = new Output(meter);
    for (int at = 0; at < format.length(); at++) {
      char c = format.charAt(at);
      boolean doubled = at + 1 < format.length() && format.charAt(at + 1) == c;
      if ((c == '{' || c == '}') && doubled) {
        out.add(String.valueOf(c));
        at++;
      } else if (c == '{') {
        int end = closing(format, at);
        out.add(field(format.substring(at + 1, end)));
        at = end;
      } else if (c == '}') {
        throw JinjaException.fault("Single '}' encountered in format string");
      } else {
        out.add(String.valueOf(c));
      }
    }
    return out.toString();
  }

  private static int closing(String format, int open) {
    int depth = 0;
    for (int at = open; at < format.length(); at++) {
      depth += format.charAt(at) == '{' ? 1 : format.charAt(at) == '}' ? -1 : 0;
      if (depth == 0) {
        return at;
      }
    }
    throw JinjaException.fault("Single '{' encountered in format string");
  }

  private String field(String field) {
    Matcher matcher = FIELD.matcher(field);
    if (!matcher.matches()) {
      throw JinjaException.fault("invalid replacement field {" + field + "}");
    }
    Object value = argument(matcher.group(1));
    Matcher steps = STEP.matcher(matcher.group(2));
    while (steps.find()) {
      value =
          steps.group(1) != null
              ? Access.attribute(value, steps.group(1), meter)
              : Access.item(value, key(steps.group(2)), meter);
    }
    String conversion = matcher.group(3);
    if (conversion != null) {
      value = conversion.equals("s") ? Repr.str(value, meter) : Repr.repr(value, meter);
    }
    String spec = matcher.group(4);
    if (spec == null || spec.isEmpty()) {
      return Repr.str(value, meter);
    }
    return spec(value, spec.indexOf('{') < 0 ? spec : run(spec));
  }

  private Object argument(String name) {
    Object value;
    if (name.isEmpty() || Chars.isBlank(name)) {
      value = arguments.find(automatic++, "");
    } else if (key(name) instanceof Long index) {
      value = arguments.find((int) Math.min(index, Integer.MAX_VALUE), "");
    } else {
      value = arguments.named().get(name);
    }
    if (value == null) {
      throw JinjaException.fault("no argument for replacement field '" + name + "'");
    }
    return value;
  }

  private static Object key(String text) {
    return text.matches("\\d{1,9}") ? (Object) Long.valueOf(text) : text;
  }

  private String spec(Object value, String spec) {
    Matcher matcher = SPEC.matcher(spec);
    if (!matcher.matches()) {
      throw JinjaException.fault("Invalid format specifier '" + spec + "'");
    }
    boolean numeric = Numbers.isNumber(value);
    if (!numeric && !Values.isText(value)) {
      throw JinjaException.fault(
          "unsupported format string passed to " + Values.typeName(value) + ".__format__");
    }
    char letter = matcher.group(9) == null ? 0 : matcher.group(9).charAt(0);
    int precision = matcher.group(8) == null ? -1 : Integer.parseInt(matcher.group(8));
    String sign = "";
    String body;
    if (numeric) {
      boolean negative = Numbers.real(value) < 0;
      String plus =
          matcher.group(3) == null || matcher.group(3).equals("-") ? "" : matcher.group(3);
      sign = negative ? "-" : plus;
      body = number(value, letter, precision, matcher.group(4) != null);
      body = grouped(body, matcher.group(7) == null ? "" : matcher.group(7));
    } else {
      body = Repr.str(value, meter);
      if (matcher.group(3) != null || matcher.group(7) != null || "=".equals(matcher.group(2))) {
        throw JinjaException.fault("Invalid format specifier '" + spec + "' for a str");
      }
      if (letter != 0 && letter != 's') {
        throw JinjaException.fault("Unknown format code '" + letter + "' for a str");
      }
      if (precision >= 0 && precision < Chars.length(body)) {
        body = body.substring(0, Chars.offset(body, precision));
      }
    }
    boolean zero = matcher.group(5) != null && matcher.group(2) == null;
    String align =
        matcher.group(2) != null ? matcher.group(2) : zero && numeric ? "=" : numeric ? ">" : "<";
    String fill = matcher.group(1) != null ? matcher.group(1) : zero ? "0" : " ";
    long width = matcher.group(6) == null ? 0 : Long.parseLong(matcher.group(6));
    return aligned(sign, body, width, align, fill);
  }

  private String aligned(String sign, String body, long width, String align, String fill) {
    return switch (align) {
      case "<" -> Padding.pad(sign + body, width, fill, Padding.Side.RIGHT, meter);
      case ">" -> Padding.pad(sign + body, width, fill, Padding.Side.LEFT, meter);
      case "^" -> {
        long missing = Math.max(0, width - Chars.length(sign + body));
        yield Arithmetic.repeat(fill, missing / 2, meter)
            + sign
            + body
            + Arithmetic.repeat(fill, missing - missing / 2, meter);
      }
      default -> sign + Padding.pad(body, width - sign.length(), fill, Padding.Side.LEFT, meter);
    };
  }

  private static String number(Object value, char letter, int precision, boolean alternate) {
    boolean real = "eEfFgG%".indexOf(letter) >= 0 && letter != 0;
    if (letter == 's' || (Numbers.isInteger(value) && !real && precision >= 0)) {
      throw JinjaException.fault("Invalid format specifier for a number");
    }
    if (Numbers.isInteger(value) && !real) {
      String prefix = alternate && "xXob".indexOf(letter) >= 0 && letter != 0 ? "0" + letter : "";
      return prefix + NumberFormat.integer(Numbers.big(value), letter);
    }
    double number = Math.abs(Numbers.real(value));
    if (letter == '%') {
      return NumberFormat.real(number * 100, 'f', precision, alternate) + "%";
    }
    if (letter == 0) {
      return precision < 0
          ? Repr.number(number)
          : NumberFormat.real(number, 'g', precision, alternate);
    }
    if (!real) {
      throw JinjaException.fault("Unknown format code '" + letter + "' for a float");
    }
    return NumberFormat.real(number, letter, precision, alternate);
  }

  private static String grouped(String digits, String separator) {
    if (separator.isEmpty()) {
      return digits;
    }
    int end = 0;
    while (end < digits.length() && Character.isDigit(digits.charAt(end))) {
      end++;
    }
    var out = new StringBuilder(digits);
    for (int at = end - 3; at > 0; at -= 3) {
      out.insert(at, separator);
    }
    return out.toString();
  }
}
