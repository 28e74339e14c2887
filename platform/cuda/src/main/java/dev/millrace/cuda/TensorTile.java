package dev.millrace.cuda;

import java.util.Locale;

/** What a block of {@code multiply_mma} makes of a product; all give the same bits. */
enum TensorTile {
  FLAT(16, 64, 128, 40_960),
  MIDDLE(64, 64, 128, 65_536),
  LARGE(128, 128, 256, 65_536);

  private final int rows;
  private final int outs;
  private final int threads;
  private final int sharedBytes;

  TensorTile(int rows, int outs, int threads, int sharedBytes) {
    this.rows = rows;
    this.outs = outs;
    this.threads = threads;
    this.sharedBytes = sharedBytes;
  }

  int rows() {
    return rows;
  }

  int outs() {
    return outs;
  }

  int threads() {
    return threads;
  }

  int sharedBytes() {
    return sharedBytes;
  }

  /**
   * The kernel.
   *
   * @param wide whether the result is F32
   */
  String symbol(boolean wide) {
    return "multiply_mma_" + (wide ? "wide_" : "") + name().toLowerCase(Locale.ROOT);
  }
}
