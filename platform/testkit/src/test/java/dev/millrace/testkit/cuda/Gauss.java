package dev.millrace.testkit.cuda;

/** The normal distribution. */
final class Gauss {
  private Gauss() {}

  /** Φ(x), by its series, which converges well for the |x| below 6 that tests draw. */
  static double cumulative(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / 2 / n;
      sum += term / (2 * n + 1);
    }
    return 0.5 + sum / Math.sqrt(2 * Math.PI);
  }
}
