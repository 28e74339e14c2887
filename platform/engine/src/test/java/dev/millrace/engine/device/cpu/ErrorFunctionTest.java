package dev.millrace.engine.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ErrorFunctionTest {
  private static final MathContext EXACT = new MathContext(60);
  private static final BigDecimal TWO_OVER_ROOT_PI =
      new BigDecimal("1.12837916709551257389615890312154517168810125865799771368817144");

  @ParameterizedTest
  @CsvSource({
    "0.1, 0.1124629160182848922",
    "0.5, 0.5204998778130465377",
    "1, 0.8427007929497148693",
    "1.5, 0.9661051464753107271",
    "2, 0.9953222650189527342",
    "2.5, 0.9995930479825550411",
    "3, 0.9999779095030014146",
    "4, 0.9999999845827420998"
  })
  void agreesWithTables(double x, double erf) {
    assertEquals(erf, ErrorFunction.erf(x), 2e-15);
    assertEquals(-erf, ErrorFunction.erf(-x), 2e-15);
  }

  @Test
  void agreesWithTheSeriesInSixtyDigits() {
    for (double x = -7; x <= 7; x += 0.0625) {
      double exact = exact(x);
      assertEquals(exact, ErrorFunction.erf(x), 2e-15 * Math.abs(exact), "at " + x);
    }
  }

  @Test
  void smallArgumentsKeepTheirDigits() {
    for (double x = 1e-3; x > 1e-300; x /= 7) {
      double exact = TWO_OVER_ROOT_PI.doubleValue() * (x - x * x * x / 3);
      assertEquals(exact, ErrorFunction.erf(x), 1e-12 * exact, "at " + x);
    }
  }

  @Test
  void theEndsAreOneZeroAndNothing() {
    assertEquals(1, ErrorFunction.erf(Double.POSITIVE_INFINITY));
    assertEquals(-1, ErrorFunction.erf(Double.NEGATIVE_INFINITY));
    assertEquals(0.0, ErrorFunction.erf(0.0));
    assertEquals(-0.0, ErrorFunction.erf(-0.0));
    assertTrue(Double.isNaN(ErrorFunction.erf(Double.NaN)));
  }

  private static double exact(double x) {
    var square = new BigDecimal(x).multiply(new BigDecimal(x), EXACT).negate();
    var power = new BigDecimal(x);
    var sum = power;
    for (int n = 1; n < 250; n++) {
      power = power.multiply(square, EXACT).divide(BigDecimal.valueOf(n), EXACT);
      sum = sum.add(power.divide(BigDecimal.valueOf(2L * n + 1), EXACT), EXACT);
    }
    return sum.multiply(TWO_OVER_ROOT_PI, EXACT).doubleValue();
  }
}
