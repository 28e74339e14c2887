package dev.millrace.engine.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Filters on single values: defaults, numbers, lengths. */
final class ValueFilters {
  static final Map<String, Filters.Filter> TABLE =
      Map.ofEntries(
          Map.entry("default", ValueFilters::otherwise),
          Map.entry("d", ValueFilters::otherwise),
          Map.entry("length", (v, a, m) -> Values.length(v)),
          Map.entry("count", (v, a, m) -> Values.length(v)),
          Map.entry("int", ValueFilters::integer),
          Map.entry("float", ValueFilters::real),
          Map.entry("abs", (v, a, m) -> absolute(v)),
          Map.entry("round", ValueFilters::round),
          Map.entry("attr", ValueFilters::attribute));

  private ValueFilters() {}

  private static Object otherwise(Object value, Arguments arguments, Meter meter) {
    arguments.expect("default", "default_value", "boolean");
    boolean falsy = arguments.flag(1, "boolean", false) && !Values.truth(value);
    return value instanceof Undefined || falsy ? arguments.get(0, "default_value", "") : value;
  }

  private static Object integer(Object value, Arguments arguments, Meter meter) {
    arguments.expect("int", "default", "base");
    Object otherwise = arguments.get(0, "default", 0L);
    if (Values.isText(value)) {
      String text = Values.text(value);
      Object whole = Numbers.parseInteger(text, (int) arguments.integer(1, "base", 10));
      if (whole != null) {
        return whole;
      }
      Double real = Numbers.parseReal(text);
      return real == null ? otherwise : truncated(real, otherwise);
    }
    if (value instanceof Double number) {
      return truncated(number, otherwise);
    }
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    return Numbers.isInteger(value) ? Numbers.narrow(Numbers.big(value)) : otherwise;
  }

  private static Object truncated(double value, Object otherwise) {
    boolean finite = !Double.isNaN(value) && !Double.isInfinite(value);
    return finite ? Numbers.truncate(value) : otherwise;
  }

  private static Object real(Object value, Arguments arguments, Meter meter) {
    arguments.expect("float", "default");
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    @Nullable Double number =
        Values.isText(value)
            ? Numbers.parseReal(Values.text(value))
            : Numbers.isNumber(value) ? (Double) Numbers.real(value) : null;
    return number == null ? arguments.get(0, "default", 0.0) : number;
  }

  private static Object absolute(Object value) {
    return switch (value) {
      case Double number -> Math.abs(number);
      case Undefined undefined -> throw undefined.failure();
      default -> {
        if (!Numbers.isInteger(value)) {
          throw JinjaException.fault(
              "bad operand type for abs(): '" + Values.typeName(value) + "'");
        }
        yield Numbers.narrow(Numbers.big(value).abs());
      }
    };
  }

  private static Object round(Object value, Arguments arguments, Meter meter) {
    arguments.expect("round", "precision", "method");
    int precision = Math.clamp(arguments.integer(0, "precision", 0), -400, 400);
    String method = Values.text(arguments.get(1, "method", "common"));
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw JinjaException.fault("method must be common, ceil or floor");
        };
    if (Numbers.isInteger(value) && mode == RoundingMode.HALF_EVEN) {
      var exact = new BigDecimal(Numbers.big(value)).setScale(Math.min(0, precision), mode);
      return Numbers.narrow(exact.toBigInteger());
    }
    double number = Numbers.real(value);
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      return number;
    }
    double rounded = new BigDecimal(number).setScale(precision, mode).doubleValue();
    return rounded == 0 ? Math.copySign(0.0, number) : rounded;
  }

  private static Object attribute(Object value, Arguments arguments, Meter meter) {
    arguments.expect("attr", "name");
    String name = Repr.str(arguments.required(0, "name"), meter);
    if (value instanceof Dict dict && dict.get(name) != null) {
      Function method = ContainerMethods.find(dict, name);
      return method != null ? method : Undefined.attribute(value, name);
    }
    return Access.attribute(value, name, meter);
  }
}
