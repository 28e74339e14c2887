package dev.millrace.engine.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic: exact integers, floor division, and + * % on texts and lists. */
final class Arithmetic {
  private Arithmetic() {}

  static Object binary(String operator, Object a, Object b, Meter meter) {
    if (a instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (b instanceof Undefined undefined && !(operator.equals("%") && Values.isText(a))) {
      throw undefined.failure();
    }
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return Numbers.isInteger(a) && Numbers.isInteger(b)
          ? integers(operator, a, b)
          : reals(operator, Numbers.real(a), Numbers.real(b));
    }
    return switch (operator) {
      case "+" -> plus(a, b, meter);
      case "*" -> times(a, b, meter);
      case "%" -> {
        if (a instanceof Safe safe) {
          Object escaped = StringMethods.escaped(b, meter);
          yield new Safe(PercentFormat.format(safe.text(), escaped, meter));
        }
        if (a instanceof String text) {
          yield PercentFormat.format(text, b, meter);
        }
        throw unsupported(operator, a, b);
      }
      default -> throw unsupported(operator, a, b);
    };
  }

  static Object negate(Object value) {
    return switch (value) {
      case Double number -> -number;
      case Undefined undefined -> throw undefined.failure();
      default -> {
        if (!Numbers.isInteger(value)) {
          throw JinjaException.fault(
              "bad operand type for unary -: '" + Values.typeName(value) + "'");
        }
        yield Numbers.narrow(Numbers.big(value).negate());
      }
    };
  }

  static Object positive(Object value) {
    return Numbers.isNumber(value) && !(value instanceof Boolean) ? value : negate(negate(value));
  }

  private static JinjaException unsupported(String operator, Object a, Object b) {
    return JinjaException.fault(
        "unsupported operand type(s) for %s: '%s' and '%s'"
            .formatted(
                operator.equals("**") ? "** or pow()" : operator,
                Values.typeName(a),
                Values.typeName(b)));
  }

  private static Object plus(Object a, Object b, Meter meter) {
    if (a instanceof Safe || b instanceof Safe) {
      if (Values.isText(a) && Values.isText(b)) {
        return new Safe(meter.made(Safe.escape(a, meter).text() + Safe.escape(b, meter).text()));
      }
    } else if (a instanceof String x && b instanceof String y) {
      meter.make((long) x.length() + y.length());
      return x + y;
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return joined(x, y, meter);
    } else if (a instanceof Tuple(var x, var _) && b instanceof Tuple(var y, var _)) {
      return new Tuple(joined(x, y, meter));
    }
    if (a instanceof String || a instanceof List<?> || a instanceof Tuple) {
      String type = Values.typeName(a);
      throw JinjaException.fault(
          "can only concatenate %s (not \"%s\") to %s".formatted(type, Values.typeName(b), type));
    }
    throw unsupported("+", a, b);
  }

  private static List<Object> joined(List<?> a, List<?> b, Meter meter) {
    meter.make(((long) a.size() + b.size()) * 8);
    var all = new ArrayList<Object>(a);
    all.addAll(b);
    return all;
  }

  private static Object times(Object a, Object b, Meter meter) {
    if (Numbers.isInteger(a) && !Numbers.isNumber(b)) {
      return times(b, a, meter);
    }
    if (!Numbers.isInteger(b)) {
      throw unsupported("*", a, b);
    }
    long count = Math.max(0, Numbers.index(b));
    return switch (a) {
      case String text -> repeat(text, count, meter);
      case Safe safe -> new Safe(repeat(safe.text(), count, meter));
      case List<?> list -> repeat(list, count, meter);
      case Tuple tuple -> new Tuple(repeat(tuple.items(), count, meter));
      default -> throw unsupported("*", a, b);
    };
  }

  static String repeat(String text, long count, Meter meter) {
    meter.make(product(text.length(), count));
    return text.isEmpty() ? "" : text.repeat((int) count);
  }

  private static List<Object> repeat(List<?> list, long count, Meter meter) {
    meter.make(product(list.size(), product(count, 8)));
    var all = new ArrayList<Object>();
    for (long i = 0; i < count && !list.isEmpty(); i++) {
      all.addAll(list);
    }
    return all;
  }

  private static long product(long a, long b) {
    return a == 0 || b <= Long.MAX_VALUE / a ? a * b : Long.MAX_VALUE;
  }

  private static Object integers(String operator, Object a, Object b) {
    BigInteger x = Numbers.big(a);
    BigInteger y = Numbers.big(b);
    return switch (operator) {
      case "+" -> Numbers.narrow(x.add(y));
      case "-" -> Numbers.narrow(x.subtract(y));
      case "*" -> Numbers.narrow(x.multiply(y));
      case "/" -> {
        nonZero(y.signum(), "division by zero");
        yield x.doubleValue() / y.doubleValue();
      }
      case "//" -> {
        nonZero(y.signum(), "integer division or modulo by zero");
        yield Numbers.narrow(floorDivide(x, y));
      }
      case "%" -> {
        nonZero(y.signum(), "integer division or modulo by zero");
        yield Numbers.narrow(x.subtract(floorDivide(x, y).multiply(y)));
      }
      default -> power(x, y);
    };
  }

  private static BigInteger floorDivide(BigInteger x, BigInteger y) {
    BigInteger[] parts = x.divideAndRemainder(y);
    boolean below = parts[1].signum() != 0 && parts[1].signum() != y.signum();
    return below ? parts[0].subtract(BigInteger.ONE) : parts[0];
  }

  private static Object power(BigInteger x, BigInteger y) {
    if (y.signum() < 0) {
      return reals("**", x.doubleValue(), y.doubleValue());
    }
    if (x.abs().bitLength() <= 1) {
      return Numbers.narrow(y.signum() == 0 ? BigInteger.ONE : y.testBit(0) ? x : x.abs());
    }
    if (y.bitLength() > 20 || (long) x.bitLength() * y.intValue() > 20_000) {
      throw JinjaException.limit("a power is too large");
    }
    return Numbers.narrow(x.pow(y.intValue()));
  }

  private static Object reals(String operator, double x, double y) {
    return switch (operator) {
      case "+" -> x + y;
      case "-" -> x - y;
      case "*" -> x * y;
      case "/" -> {
        nonZero(y, "float division by zero");
        yield x / y;
      }
      case "//" -> {
        nonZero(y, "float floor division by zero");
        yield Math.floor((x - floorModulo(x, y)) / y + 0.5);
      }
      case "%" -> {
        nonZero(y, "float modulo");
        yield floorModulo(x, y);
      }
      default -> {
        if (x == 0 && y < 0) {
          throw JinjaException.fault("0.0 cannot be raised to a negative power");
        }
        if (x < 0 && y != Math.rint(y)) {
          throw JinjaException.fault("a negative number cannot be raised to a fraction");
        }
        yield Math.pow(x, y);
      }
    };
  }

  private static double floorModulo(double x, double y) {
    double rest = x % y;
    if (rest == 0) {
      return Math.copySign(0, y);
    }
    return (rest < 0) != (y < 0) ? rest + y : rest;
  }

  private static void nonZero(double divisor, String message) {
    if (divisor == 0) {
      throw JinjaException.fault(message);
    }
  }
}
