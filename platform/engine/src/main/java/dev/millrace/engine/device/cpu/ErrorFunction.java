package dev.millrace.engine.device.cpu;

/**
 * The error function, to F64 accuracy: its power series near zero, Lentz's continued fraction of
 * the complement further out.
 *
 * @see <a href="https://dlmf.nist.gov/7.6">DLMF 7.6.1</a> and <a
 *     href="https://dlmf.nist.gov/7.9">7.9.1</a>
 */
final class ErrorFunction {
  private static final double SERIES_LIMIT = 2;
  private static final double FAR = 6;

  private ErrorFunction() {}

  static double erf(double x) {
    double size = Math.abs(x);
    if (size <= SERIES_LIMIT) {
      return series(x);
    }
    return Math.copySign(size > FAR ? 1 : 1 - complement(size), x);
  }

  /** 2/√π · Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)). */
  private static double series(double x) {
    double power = x;
    double sum = x;
    for (int n = 1; Math.abs(power) > 1e-18; n++) {
      power *= -x * x / n;
      sum += power / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  /** e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), evaluated from the far end. */
  private static double complement(double x) {
    double tail = x;
    for (int k = 60; k >= 1; k--) {
      tail = x + k / 2.0 / tail;
    }
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
  }
}
