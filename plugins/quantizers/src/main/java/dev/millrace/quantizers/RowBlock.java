package dev.millrace.quantizers;

/**
 * Reads rows that lie side by side in words, and so are read together: {@link Packing#TOGETHER} at
 * a time, whose codes are kept.
 */
final class RowBlock implements AffineCodes.Reader {
  private final int rows;
  private final Fill fill;
  private final byte[][] codes;
  private int first;
  private int count;

  /** Reads some rows. */
  interface Fill {
    /**
     * Writes the codes of rows that follow one another.
     *
     * @param out a row each, as bytes without sign
     * @param count of rows, which {@code out} has at least
     */
    void read(int first, byte[][] out, int count);
  }

  /** A reader of the rows of a matrix of this size. */
  RowBlock(int rows, int cols, Fill fill) {
    this.rows = rows;
    this.fill = fill;
    this.codes = new byte[Math.min(rows, Packing.TOGETHER)][cols];
  }

  @Override
  public byte[] read(int row) {
    if (row < first || row >= first + count) {
      first = row / Packing.TOGETHER * Packing.TOGETHER;
      count = Math.min(codes.length, rows - first);
      fill.read(first, codes, count);
    }
    return codes[row - first];
  }
}
