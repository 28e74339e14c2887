package dev.millrace.engine.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers laid out by a conversion letter and a precision, as C and Python do. */
final class NumberFormat {
  private static final int MAX_PRECISION = 1000;

  private NumberFormat() {}

  /** Digits of an integer's absolute value in base 2, 8, 10 or 16 for {@code b o d x X}. */
  static String integer(BigInteger value, char letter) {
    BigInteger magnitude = value.abs();
    return switch (letter) {
      case 'b' -> magnitude.toString(2);
      case 'o' -> magnitude.toString(8);
      case 'x' -> magnitude.toString(16);
      case 'X' -> magnitude.toString(16).toUpperCase(Locale.ROOT);
      default -> magnitude.toString();
    };
  }

  /** A real number's absolute value for {@code e E f F g G}; precision -1 means 6. */
  static String real(double value, char letter, int precision, boolean keepZeros) {
    if (precision > MAX_PRECISION) {
      throw JinjaException.limit("a precision over " + MAX_PRECISION);
    }
    boolean upper = Character.isUpperCase(letter);
    String text;
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      text = Double.isNaN(value) ? "nan" : "inf";
    } else {
      var exact = new BigDecimal(Math.abs(value));
      int digits = precision < 0 ? 6 : precision;
      text =
          switch (Character.toLowerCase(letter)) {
            case 'e' -> scientific(exact, digits);
            case 'f' -> exact.setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
            default -> general(exact, Math.max(1, digits), keepZeros);
          };
    }
    return upper ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String scientific(BigDecimal value, int digits) {
    if (value.signum() == 0) {
      return (digits > 0 ? "0." + "0".repeat(digits) : "0") + "e+00";
    }
    BigDecimal rounded = value.round(new MathContext(digits + 1, RoundingMode.HALF_EVEN));
    String figures = rounded.unscaledValue().toString();
    int exponent = figures.length() - 1 - rounded.scale();
    figures = (figures + "0".repeat(digits)).substring(0, digits + 1);
    return figures.charAt(0)
        + (digits > 0 ? "." + figures.substring(1) : "")
        + "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static String general(BigDecimal value, int digits, boolean keepZeros) {
    String scientific = scientific(value, digits - 1);
    int exponent = Integer.parseInt(scientific.substring(scientific.indexOf('e') + 1));
    if (exponent < -4 || exponent >= digits) {
      int mark = scientific.indexOf('e');
      return strip(scientific.substring(0, mark), keepZeros) + scientific.substring(mark);
    }
    return strip(
        value.setScale(digits - 1 - exponent, RoundingMode.HALF_EVEN).toPlainString(), keepZeros);
  }

  private static String strip(String text, boolean keepZeros) {
    return keepZeros || text.indexOf('.') < 0
        ? text
        : text.replaceFirst("0+$", "").replaceFirst("\\.$", "");
  }
}
