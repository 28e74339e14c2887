package dev.millrace.quantizers;

import dev.millrace.spi.quant.ScaleType;

/**
 * A matrix of integers as a checkpoint has it: w = (q − z) · s, with a zero z and a scale s for
 * each group of the columns of a row. Shapes are checked. Read by several threads.
 */
interface AffineCodes {
  int rows();

  ColumnGroups groups();

  /** Bits of a code: codes are from 0 to 2^bits − 1. */
  int bits();

  /** A reader for one thread. */
  Reader reader();

  /** Reads rows of codes. Used by one thread, which asks mostly for one row after the other. */
  interface Reader {
    /**
     * The codes of a row in the order of the input, as bytes without sign.
     *
     * @return good until the next call
     */
    byte[] read(int row);
  }

  int zero(int row, int group);

  float scale(int row, int group);

  /** What holds every scale exactly. */
  ScaleType scaleType();

  /** The tensor that has the scales, for errors. */
  String scaleTensor();
}
