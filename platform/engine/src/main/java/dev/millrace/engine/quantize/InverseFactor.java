package dev.millrace.engine.quantize;

import java.util.stream.IntStream;

/**
 * The upper triangular U with {@code Uᵀ U = H⁻¹}, of a symmetric positive definite H, in F64. From
 * {@code H = M Mᵀ} with M upper triangular follows {@code U = M⁻¹}; M is the Cholesky factor of H
 * with rows and columns backwards. Rows are worked on in parallel.
 */
final class InverseFactor {
  private InverseFactor() {}

  /**
   * The factor.
   *
   * @param h [n][n], overwritten
   * @return [n][n], zeros below the diagonal
   * @throws ArithmeticException if H is not positive definite
   */
  static float[][] of(double[][] h) {
    int n = h.length;
    backwards(h);
    cholesky(h);
    float[][] factor = new float[n][n];
    IntStream.range(0, n)
        .parallel()
        .forEach(row -> {
          double[] x = inverseRow(h, row);
          for (int col = row; col < n; col++) {
            factor[n - 1 - col][n - 1 - row] = (float) x[col];
          }
        });
    return factor;
  }

  private static void backwards(double[][] h) {
    int n = h.length;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        long at = (long) i * n + j;
        long other = (long) n * n - 1 - at;
        if (at < other) {
          double kept = h[i][j];
          h[i][j] = h[n - 1 - i][n - 1 - j];
          h[n - 1 - i][n - 1 - j] = kept;
        }
      }
    }
  }

  /** Leaves R, upper triangular with {@code Rᵀ R = A}, in the upper half. */
  private static void cholesky(double[][] a) {
    int n = a.length;
    for (int j = 0; j < n; j++) {
      double[] pivots = a[j];
      if (!(pivots[j] > 0)) {
        throw new ArithmeticException("the pivot of column " + j + " is " + pivots[j]);
      }
      double root = Math.sqrt(pivots[j]);
      for (int k = j; k < n; k++) {
        pivots[k] /= root;
      }
      var rest = IntStream.range(j + 1, n);
      (n - j > 256 ? rest.parallel() : rest)
          .forEach(i -> {
            double by = pivots[i];
            double[] row = a[i];
            for (int k = i; k < n; k++) {
              row[k] -= by * pivots[k];
            }
          });
    }
  }

  /** A row of R⁻¹. */
  private static double[] inverseRow(double[][] r, int row) {
    int n = r.length;
    double[] x = new double[n];
    x[row] = 1;
    for (int k = row; k < n; k++) {
      x[k] /= r[k][k];
      double by = x[k];
      double[] from = r[k];
      for (int j = k + 1; j < n; j++) {
        x[j] -= by * from[j];
      }
    }
    return x;
  }
}
