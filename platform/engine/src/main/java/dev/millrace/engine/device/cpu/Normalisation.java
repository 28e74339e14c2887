package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.NormWeights;

/** RMS and layer norm over rows or over the heads of rows; statistics in F64. */
final class Normalisation {
  private Normalisation() {}

  /** Normalises each run of {@code width} numbers of each row. */
  static void run(NormWeights norm, Rows x, Rows out, int rows, int width) {
    for (int row = 0; row < rows; row++) {
      for (int start = 0; start < x.width(); start += width) {
        normalise(norm, x, out, row, start, width);
      }
    }
  }

  private static void normalise(NormWeights norm, Rows x, Rows out, int row, int start, int width) {
    double mean =
        switch (norm.kind()) {
          case RMS -> 0;
          case LAYER -> mean(x, row, start, width);
        };
    double squares = 0;
    for (int i = 0; i < width; i++) {
      double d = x.get(row, start + i) - mean;
      squares += d * d;
    }
    float inverse = (float) (1 / Math.sqrt(squares / width + norm.eps()));
    float[] bias = norm.bias();
    for (int i = 0; i < width; i++) {
      float scaled = (float) (x.get(row, start + i) - mean) * inverse * norm.weight()[i];
      out.set(row, start + i, bias == null ? scaled : scaled + bias[i]);
    }
  }

  private static double mean(Rows x, int row, int start, int width) {
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += x.get(row, start + i);
    }
    return sum / width;
  }
}
