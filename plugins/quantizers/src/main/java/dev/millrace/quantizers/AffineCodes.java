package dev.millrace.quantizers;

/**
 * A matrix of integers as a checkpoint has it: w = (q − z) · s, with a zero z and a scale s for
 * each group of the columns of a row. Shapes are checked. Read by several threads.
 */
interface AffineCodes {
  int rows();

  ColumnGroups groups();

  /** Bits of a code: codes are from 0 to 2^bits − 1. */
  int bits();

  /**
   * Reads the codes of rows that follow one another, in the order of the input.
   *
   * @param out a row each, as bytes without sign
   */
  void read(int first, byte[][] out);

  int zero(int row, int group);

  float scale(int row, int group);

  /** The tensor that has the scales, for errors. */
  String scaleTensor();
}
