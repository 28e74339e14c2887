package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.fail;

import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Routing;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/** The operations once more, in F64 and as their formulas stand: what devices are compared with. */
final class OpsInDouble {
  private OpsInDouble() {}

  static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  static double[] map(double[] values, DoubleUnaryOperator f) {
    double[] out = new double[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = f.applyAsDouble(values[i]);
    }
    return out;
  }

  static double[] norm(
      Norm.Kind kind, double[] x, float[] weight, float[] bias, float eps, float offset) {
    double mean = 0;
    if (kind == Norm.Kind.LAYER) {
      for (double v : x) {
        mean += v / x.length;
      }
    }
    double variance = 0;
    for (double v : x) {
      variance += (v - mean) * (v - mean) / x.length;
    }
    double[] out = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = (x[i] - mean) / Math.sqrt(variance + eps) * (weight[i] + offset) + bias[i];
    }
    return out;
  }

  static double activate(Activation f, double x) {
    return switch (f) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU -> x * normalCdf(x);
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * Math.pow(x, 3))));
      case RELU -> x > 0 ? x : 0;
    };
  }

  /** Φ(x) by Simpson's rule over the density: slow, and unlike any kernel. */
  private static double normalCdf(double x) {
    int steps = 2000;
    double h = x / steps;
    double sum = density(0) + density(x);
    for (int i = 1; i < steps; i++) {
      sum += (i % 2 == 0 ? 2 : 4) * density(i * h);
    }
    return 0.5 + sum * h / 3;
  }

  private static double density(double t) {
    return Math.exp(-t * t / 2) / Math.sqrt(2 * Math.PI);
  }

  /** Every expert is asked, and those whose rank is too low count for nothing. */
  static double[] experts(
      double[] x,
      QuantizedMatrix router,
      List<? extends QuantizedMatrix> gateUp,
      List<? extends QuantizedMatrix> down,
      Routing routing) {
    double[] odds = map(multiply(router, x), Math::exp);
    double[] ranked = odds.clone();
    Arrays.sort(ranked);
    double least = ranked[ranked.length - routing.perToken()];
    double all = Arrays.stream(odds).filter(o -> !routing.normalise() || o >= least).sum();
    double[] out = new double[down.getFirst().rows()];
    for (int expert = 0; expert < odds.length; expert++) {
      double weight = odds[expert] >= least ? odds[expert] / all : 0;
      double[] both = multiply(gateUp.get(expert), x);
      double[] inner = new double[both.length / 2];
      for (int i = 0; i < inner.length; i++) {
        inner[i] = activate(routing.activation(), both[i]) * both[inner.length + i];
      }
      double[] one = multiply(down.get(expert), inner);
      for (int i = 0; i < out.length; i++) {
        out[i] += weight * one[i];
      }
    }
    return out;
  }

  private static double[] multiply(QuantizedMatrix matrix, double[] x) {
    double[] out = new double[matrix.rows()];
    float[] weights = new float[matrix.cols()];
    for (int row = 0; row < out.length; row++) {
      matrix.decodeRow(row, weights);
      for (int i = 0; i < x.length; i++) {
        out[row] += weights[i] * x[i];
      }
    }
    return out;
  }

  /** Fails unless each number is within the tolerance, relative to numbers above 1. */
  static void assertClose(double[] want, float[] got, double tolerance) {
    for (int i = 0; i < want.length; i++) {
      double error = Math.abs(want[i] - got[i]) / Math.max(1, Math.abs(want[i]));
      if (!(error <= tolerance)) {
        fail("element %d of %d: %s, want %s".formatted(i, want.length, got[i], want[i]));
      }
    }
  }
}
