package dev.millrace.spi.model;

/** How a matrix is shared out among tensor-parallel ranks. */
public enum Split {
  /** By output rows: each rank computes a part of y. */
  COLUMN,
  /** By input columns: each rank computes a share of y, and the linear adds the shares up. */
  ROW,
  /** Every rank has all of it. */
  NONE
}
