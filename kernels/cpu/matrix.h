/* A matrix of weights, as docs/device-formats.md lays it out. */
#ifndef MILLRACE_MATRIX_H
#define MILLRACE_MATRIX_H

#include "lanes.h"

/* Those from INT4 on have two codes in a byte. */
enum format {
  F32 = 0, BF16 = 1, F16 = 2, INT8 = 3, INT8_ZEROS = 4, FP8 = 5, INT4 = 6, INT4_ZEROS = 7, CODE4 = 8
};

/* Filled in by engine.device.cpu.NativeMatrix, in this order. */
struct matrix {
  long format;
  long columns;
  long row_bytes;
  const char *numbers;
  const char *scales;
  const char *behind;   /* zeros, or the table of CODE4 */
  long groups;          /* scales of a row */
  long group_columns;   /* columns that share a scale; 0: all */
  long group_shift;     /* log2 of group_columns; -1 if that is no power of two */
  long group_rows;      /* rows that share their scales */
};

/* What is multiplied, and where the outputs go. `out` and `bias` are those of the matrix's row 0. */
struct operands {
  const void *x;
  long x_stride; /* in elements of x */
  float *out;
  long out_stride;
  const float *bias;
};

INLINE long width_of(enum format format) {
  return format == F32 ? 4 : format == BF16 || format == F16 ? 2 : 1;
}

INLINE int has_nibbles(enum format format) { return format >= INT4; }

INLINE long group_of(const struct matrix *m, long column) {
  if (m->groups == 1) return 0;
  long group = m->group_shift >= 0 ? column >> m->group_shift : column / m->group_columns;
  return group < m->groups ? group : m->groups - 1;
}

/* A scale or a zero; beyond the last column the last one. */
INLINE float number_of(const struct matrix *m, const char *numbers, long row, long column) {
  float number;
  long line = m->group_rows == 1 ? row : row / m->group_rows;
  __builtin_memcpy(&number, numbers + 4 * (line * m->groups + group_of(m, column)), sizeof number);
  return number;
}

#endif
