package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;

/**
 * {@code y = x Wᵀ + b} over decoded rows of W. An output is one {@link Dot}, so its bits depend on
 * nothing but its own row of x and of W.
 */
final class MatrixProduct implements Product {
  /** Weight rows per slice: enough work to be worth taking, few enough to share out evenly. */
  private static final int SLICE_ROWS = 16;

  private final Workers workers;
  private final float[][] decoded;

  MatrixProduct(Workers workers) {
    this.workers = workers;
    this.decoded = new float[workers.count()][0];
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    workers.run(
        Math.ceilDiv(linear.out(), SLICE_ROWS),
        (slice, worker) -> {
          if (decoded[worker].length < linear.in()) {
            decoded[worker] = new float[linear.in()];
          }
          int end = Math.min(linear.out(), (slice + 1) * SLICE_ROWS);
          for (int column = slice * SLICE_ROWS; column < end; column++) {
            column(linear, column, decoded[worker], x, out, rows);
          }
        });
  }

  private static void column(
      MatrixLinear linear, int column, float[] weights, Rows x, Rows out, int rows) {
    int row = column;
    int part = 0;
    while (row >= linear.parts().get(part).rows()) {
      row -= linear.parts().get(part++).rows();
    }
    linear.parts().get(part).decodeRow(row, weights);
    float[] bias = linear.bias();
    double add = bias == null ? 0 : bias[column];
    for (int r = 0; r < rows; r++) {
      double dot = Dot.of(weights, x.segment(), x.start(r), linear.in());
      out.set(r, column, (float) (dot + add));
    }
  }
}
