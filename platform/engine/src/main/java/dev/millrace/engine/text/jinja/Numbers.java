package dev.millrace.engine.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Conversions between numbers and what stands for one. */
final class Numbers {
  private static final int MAX_DIGITS = 4300;

  private Numbers() {}

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
  }

  static BigInteger big(Object value) {
    return switch (value) {
      case BigInteger big -> big;
      case Boolean flag -> flag ? BigInteger.ONE : BigInteger.ZERO;
      case Number number -> BigInteger.valueOf(number.longValue());
      default -> throw notAnInteger(value);
    };
  }

  static double real(Object value) {
    return switch (value) {
      case Boolean flag -> flag ? 1 : 0;
      case Number number -> number.doubleValue();
      case Undefined undefined -> throw undefined.failure();
      default -> throw JinjaException.fault("must be a number, not " + Values.typeName(value));
    };
  }

  static Object narrow(BigInteger value) {
    if (value.bitLength() < Long.SIZE) {
      return value.longValue();
    }
    if (value.bitLength() > MAX_DIGITS * 4) {
      throw JinjaException.limit("a number has more than " + MAX_DIGITS + " digits");
    }
    return value;
  }

  /** An integer that fits a long, as an index or a count. */
  static long index(Object value) {
    return switch (value) {
      case Long number -> number;
      case Boolean flag -> flag ? 1 : 0;
      case BigInteger big -> big.signum() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
      case Undefined undefined -> throw undefined.failure();
      default -> throw notAnInteger(value);
    };
  }

  private static JinjaException notAnInteger(Object value) {
    return JinjaException.fault(
        "'" + Values.typeName(value) + "' object cannot be interpreted as an integer");
  }

  static Object integerLiteral(String literal) {
    Object value = parseInteger(literal, 0);
    if (value == null) {
      throw JinjaException.fault("not a number: " + literal);
    }
    return value;
  }

  /** Python's {@code int(text, base)}; null where that fails. Base 0 reads the prefix. */
  static @Nullable Object parseInteger(String text, int base) {
    String digits = Chars.stripRight(Chars.stripLeft(text, Chars::isSpace));
    boolean negative = digits.startsWith("-");
    if (negative || digits.startsWith("+")) {
      digits = digits.substring(1);
    }
    int radix = base == 0 ? 10 : base;
    String lower = digits.toLowerCase(Locale.ROOT);
    for (int prefixBase : new int[] {2, 8, 16}) {
      String prefix = prefixBase == 2 ? "0b" : prefixBase == 8 ? "0o" : "0x";
      if ((base == 0 || base == prefixBase) && lower.startsWith(prefix)) {
        radix = prefixBase;
        digits = digits.substring(2);
        if (digits.startsWith("_")) {
          digits = digits.substring(1);
        }
        break;
      }
    }
    if (digits.isEmpty()
        || digits.length() > MAX_DIGITS
        || digits.startsWith("_")
        || digits.endsWith("_")
        || digits.contains("__")
        || radix < Character.MIN_RADIX
        || radix > Character.MAX_RADIX) {
      return null;
    }
    String plain = digits.replace("_", "");
    for (int i = 0; i < plain.length(); i++) {
      if (Character.digit(plain.charAt(i), radix) < 0) {
        return null;
      }
    }
    BigInteger value = new BigInteger(plain, radix);
    return narrow(negative ? value.negate() : value);
  }

  /** Python's {@code float(text)}; null where that fails. */
  static @Nullable Double parseReal(String text) {
    String trimmed =
        Chars.stripRight(Chars.stripLeft(text, Chars::isSpace)).toLowerCase(Locale.ROOT);
    String unsigned = trimmed.replaceFirst("^[-+]", "");
    double sign = trimmed.startsWith("-") ? -1 : 1;
    if (unsigned.equals("inf") || unsigned.equals("infinity")) {
      return sign * Double.POSITIVE_INFINITY;
    }
    if (unsigned.equals("nan")) {
      return Double.NaN;
    }
    if (!unsigned.matches(
        "(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)(e[-+]?\\d+(_\\d+)*)?")) {
      return null;
    }
    return sign * Double.parseDouble(unsigned.replace("_", ""));
  }

  /** Truncates toward zero, as {@code int(float)}. */
  static Object truncate(double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      throw JinjaException.fault("cannot convert float " + Repr.number(value) + " to integer");
    }
    return narrow(new BigDecimal(value).toBigInteger());
  }
}
