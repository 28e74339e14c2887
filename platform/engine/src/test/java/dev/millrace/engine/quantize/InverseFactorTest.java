package dev.millrace.engine.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InverseFactorTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 64, 300})
  void itsSquareIsTheInverse(int n) {
    double[][] h = RoundingSamples.gram(RoundingSamples.inputs(2 * n + 3, n, n));
    double mean = 0;
    for (int i = 0; i < n; i++) {
      mean += h[i][i] / n;
    }
    for (int i = 0; i < n; i++) {
      h[i][i] += 0.1 * mean;
    }
    float[][] u = InverseFactor.of(Arrays.stream(h).map(double[]::clone).toArray(double[][]::new));
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        assertEquals(0, u[i][j], "below the diagonal");
      }
    }
    // (Uᵀ U) H = 1
    for (int i = 0; i < n; i++) {
      double[] row = new double[n];
      for (int k = 0; k <= i; k++) {
        for (int j = k; j < n; j++) {
          row[j] += (double) u[k][i] * u[k][j];
        }
      }
      for (int j = 0; j < n; j++) {
        double product = 0;
        for (int k = 0; k < n; k++) {
          product += row[k] * h[k][j];
        }
        assertEquals(i == j ? 1 : 0, product, 1e-3, i + ", " + j);
      }
    }
  }

  @Test
  void whatIsNotPositiveDefiniteIsRefused() {
    double[][] flat = {{1, 1}, {1, 1}};
    assertThrows(ArithmeticException.class, () -> InverseFactor.of(flat));
    double[][] none = {{Double.NaN}};
    assertThrows(ArithmeticException.class, () -> InverseFactor.of(none));
  }
}
