package dev.millrace.engine.text.jinja;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code format % values}. */
final class PercentFormat {
  private static final Pattern DIRECTIVE =
      Pattern.compile(
          "%(?:\\(([^)]*)\\))?([-+ #0]*)(\\*|\\d+)?(?:\\.(\\*|\\d*))?[hlL]?(.)", Pattern.DOTALL);

  private final List<Object> values;
  private final Object whole;
  private final Meter meter;
  private int used;

  private PercentFormat(Object whole, Meter meter) {
    this.whole = whole;
    this.values = whole instanceof Tuple tuple ? tuple.items() : List.of(whole);
    this.meter = meter;
  }

  static String format(String format, Object values, Meter meter) {
    return new PercentFormat(values, meter).run(format);
  }

  private String run(String format) {
    var out = new Output(meter);
    Matcher matcher = DIRECTIVE.matcher(format);
    int at = 0;
    boolean byName = false;
    for (int hit = format.indexOf('%'); hit >= 0; hit = format.indexOf('%', at)) {
      out.add(format.substring(at, hit));
      if (!matcher.region(hit, format.length()).lookingAt()) {
        throw JinjaException.fault("incomplete format");
      }
      byName |= matcher.group(1) != null;
      out.add(directive(matcher));
      at = matcher.end();
    }
    out.add(format.substring(at));
    boolean single = !(whole instanceof Tuple) && !Values.isText(whole);
    if (used < values.size() && !byName && !(single && Values.isSequence(whole))) {
      throw JinjaException.fault("not all arguments converted during string formatting");
    }
    return out.toString();
  }

  private String directive(Matcher matcher) {
    char letter = matcher.group(5).charAt(0);
    if (letter == '%') {
      return "%";
    }
    String flags = matcher.group(2);
    String widthText = matcher.group(3);
    long width = widthText == null ? 0 : count(widthText);
    String precisionText = matcher.group(4);
    int precision = precisionText == null ? -1 : Math.clamp(count(precisionText), 0, 1 << 20);
    Object value = matcher.group(1) == null ? next() : named(matcher.group(1));
    String sign = "";
    String body;
    boolean numeric = true;
    switch (letter) {
      case 'd', 'i', 'u', 'x', 'X', 'o' -> {
        boolean decimal = letter == 'd' || letter == 'i' || letter == 'u';
        var number = Numbers.big(wholeNumber(value, decimal));
        sign = sign(number.signum() < 0, flags);
        String digits = NumberFormat.integer(number, letter);
        body = "0".repeat(Math.clamp(precision - digits.length(), 0, 1000)) + digits;
        if (flags.contains("#") && "xXo".indexOf(letter) >= 0) {
          sign += "0" + letter;
        }
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double number = Numbers.real(value);
        sign = sign(number < 0 || (number == 0 && 1 / number < 0), flags);
        body = NumberFormat.real(number, letter, precision, flags.contains("#"));
      }
      case 's', 'r', 'a', 'c' -> {
        numeric = false;
        body = text(letter, value);
        if (precision >= 0 && precision < Chars.length(body)) {
          body = body.substring(0, Chars.offset(body, precision));
        }
      }
      default -> throw JinjaException.fault("unsupported format character '" + letter + "'");
    }
    return padded(sign, body, width, flags, numeric);
  }

  private String padded(String sign, String body, long width, String flags, boolean numeric) {
    long missing = Math.max(0, Math.abs(width) - sign.length() - Chars.length(body));
    if (flags.contains("-") || width < 0) {
      return sign + body + Arithmetic.repeat(" ", missing, meter);
    }
    return numeric && flags.contains("0")
        ? sign + Arithmetic.repeat("0", missing, meter) + body
        : Arithmetic.repeat(" ", missing, meter) + sign + body;
  }

  private static String sign(boolean negative, String flags) {
    return negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
  }

  private String text(char letter, Object value) {
    return switch (letter) {
      case 's' -> Repr.str(value, meter);
      case 'c' -> character(value);
      default -> Repr.repr(value, meter);
    };
  }

  private static String character(Object value) {
    if (Values.isText(value) && Chars.length(Values.text(value)) == 1) {
      return Values.text(value);
    }
    if (!Numbers.isInteger(value)
        || Numbers.index(value) != Math.clamp(Numbers.index(value), 0, Character.MAX_CODE_POINT)) {
      throw JinjaException.fault("%c requires int or char");
    }
    return Character.toString((int) Numbers.index(value));
  }

  private static Object wholeNumber(Object value, boolean truncates) {
    if (truncates && value instanceof Double number) {
      return Numbers.truncate(number);
    }
    if (!Numbers.isInteger(value)) {
      throw JinjaException.fault("a number is required, not " + Values.typeName(value));
    }
    return value;
  }

  private long count(String text) {
    if (text.equals("*")) {
      return Numbers.index(next());
    }
    return text.isEmpty() ? 0 : text.length() > 9 ? Integer.MAX_VALUE : Long.parseLong(text);
  }

  private Object next() {
    if (used >= values.size()) {
      throw JinjaException.fault("not enough arguments for format string");
    }
    return values.get(used++);
  }

  private Object named(String key) {
    Object value = whole instanceof Dict dict ? dict.get(key) : null;
    if (value == null) {
      throw JinjaException.fault("format requires a mapping with the key '" + key + "'");
    }
    return value;
  }
}
