package dev.millrace.engine.device.cpu;

import dev.millrace.spi.tensor.Activation;

/** The operations that work on one number at a time. */
final class Elementwise {
  private Elementwise() {}

  static void add(Rows a, Rows b, Rows out, int rows) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < out.width(); i++) {
        out.set(row, i, a.get(row, i) + b.get(row, i));
      }
    }
  }

  static void scale(Rows x, float by, Rows out, int rows) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < out.width(); i++) {
        out.set(row, i, x.get(row, i) * by);
      }
    }
  }

  static void softCap(Rows x, float cap, Rows out, int rows) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < out.width(); i++) {
        out.set(row, i, (float) (cap * Math.tanh(x.get(row, i) / cap)));
      }
    }
  }

  static void activate(Activation f, Rows x, Rows out, int rows) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < out.width(); i++) {
        out.set(row, i, (float) activate(f, x.get(row, i)));
      }
    }
  }

  /** One row: {@code f(gate) · up}. */
  static void gate(Activation f, Rows gateUp, Rows out, int row) {
    int half = out.width();
    for (int i = 0; i < half; i++) {
      out.set(row, i, (float) (activate(f, gateUp.get(row, i)) * gateUp.get(row, half + i)));
    }
  }

  private static double activate(Activation f, double x) {
    return switch (f) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU -> 0.5 * x * (1 + ErrorFunction.erf(x / Math.sqrt(2)));
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case RELU -> Math.max(x, 0);
    };
  }
}
