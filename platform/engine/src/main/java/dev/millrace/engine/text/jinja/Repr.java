package dev.millrace.engine.text.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Iterator;
import java.util.List;

/** Values as text: Python's {@code str} and {@code repr}. */
final class Repr {
  /** Java writes at least two digits where Python writes one: the smallest number is 5e-324. */
  private static final MathContext ONE_DIGIT = new MathContext(1);

  private Repr() {}

  static String str(Object value, Meter meter) {
    return switch (value) {
      case String text -> text;
      case Safe safe -> safe.text();
      case Undefined _ -> "";
      default -> repr(value, meter);
    };
  }

  static String repr(Object value, Meter meter) {
    var out = new StringBuilder();
    write(value, out, meter);
    return meter.made(out.toString());
  }

  private static void write(Object value, StringBuilder out, Meter meter) {
    meter.make(out.length());
    switch (value) {
      case None _ -> out.append("None");
      case Boolean flag -> out.append(flag ? "True" : "False");
      case Double number -> out.append(number(number));
      case String text -> out.append(quoted(text));
      case Safe safe -> out.append("Markup(").append(quoted(safe.text())).append(')');
      case Undefined _ -> out.append("Undefined");
      case List<?> list -> sequence("[", list.iterator(), "]", out, meter);
      case Tuple tuple ->
          sequence(
              "(", tuple.items().iterator(), tuple.items().size() == 1 ? ",)" : ")", out, meter);
      case Dict dict -> dict(dict, out, meter);
      case DictView view -> {
        out.append(Values.typeName(view));
        sequence("([", view.list().iterator(), "])", out, meter);
      }
      case Range range -> {
        out.append("range(").append(range.start()).append(", ").append(range.stop());
        out.append(range.step() == 1 ? ")" : ", " + range.step() + ")");
      }
      case Namespace namespace -> {
        out.append("<Namespace ");
        dict(namespace.attributes(), out, meter);
        out.append('>');
      }
      case Number number -> out.append(number);
      case Macro macro -> out.append("<Macro ").append(quoted(macro.name())).append('>');
      default -> out.append('<').append(Values.typeName(value)).append(" object>");
    }
  }

  private static void sequence(
      String open, Iterator<?> items, String close, StringBuilder out, Meter meter) {
    meter.enter();
    out.append(open);
    while (items.hasNext()) {
      write(items.next(), out, meter);
      if (items.hasNext()) {
        out.append(", ");
      }
    }
    out.append(close);
    meter.leave();
  }

  private static void dict(Dict dict, StringBuilder out, Meter meter) {
    meter.enter();
    String separator = "{";
    for (Dict.Entry entry : dict.entries()) {
      out.append(separator);
      write(entry.key(), out, meter);
      out.append(": ");
      write(entry.value(), out, meter);
      separator = ", ";
    }
    out.append(dict.size() == 0 ? "{}" : "}");
    meter.leave();
  }

  /** The shortest digits that read back as the same number, laid out as Python does. */
  static String number(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(Double.toString(Math.abs(number))).stripTrailingZeros();
    if (exact.precision() == 2 && exact.round(ONE_DIGIT).doubleValue() == exact.doubleValue()) {
      exact = exact.round(ONE_DIGIT);
    }
    String digits = exact.unscaledValue().toString();
    int exponent = digits.length() - 1 - exact.scale();
    var out = new StringBuilder(number < 0 ? "-" : "");
    if (exponent < -4 || exponent >= 16) {
      out.append(digits.charAt(0));
      if (digits.length() > 1) {
        out.append('.').append(digits, 1, digits.length());
      }
      out.append('e').append(exponent < 0 ? '-' : '+');
      out.append(Math.abs(exponent) < 10 ? "0" : "").append(Math.abs(exponent));
    } else if (exponent < 0) {
      out.append("0.").append("0".repeat(-exponent - 1)).append(digits);
    } else if (digits.length() <= exponent + 1) {
      out.append(digits).append("0".repeat(exponent + 1 - digits.length())).append(".0");
    } else {
      out.append(digits, 0, exponent + 1).append('.').append(digits, exponent + 1, digits.length());
    }
    return out.toString();
  }

  /** A string in quotes with Python's escapes; double quotes only where they save an escape. */
  static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    var out = new StringBuilder(text.length() + 2).append(quote);
    text.codePoints().forEach(point -> quote(point, quote, out));
    return out.append(quote).toString();
  }

  private static void quote(int point, char quote, StringBuilder out) {
    switch (point) {
      case '\\' -> out.append("\\\\");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      default -> {
        if (point == quote) {
          out.append('\\').append(quote);
        } else if (Chars.isPrintable(point)) {
          out.appendCodePoint(point);
        } else if (point <= 0xff) {
          out.append("\\x%02x".formatted(point));
        } else {
          out.append((point <= 0xffff ? "\\u%04x" : "\\U%08x").formatted(point));
        }
      }
    }
  }
}
