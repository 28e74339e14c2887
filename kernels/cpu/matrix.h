/* A matrix of weights, as docs/device-formats.md lays it out. */
#ifndef MILLRACE_MATRIX_H
#define MILLRACE_MATRIX_H

#include "lanes.h"

enum format { F32 = 0, BF16 = 1, F16 = 2, INT8 = 3, INT4 = 4, INT4_ZEROS = 5 };

/* Group shift of a matrix whose rows have one scale each. */
#define WHOLE_ROW 62

struct matrix {
  long columns;
  long row_bytes;
  const char *numbers;
  const char *scales;
  const char *zeros;
  long groups;      /* of a row */
  int group_shift;  /* a column's group is column >> group_shift */
};

struct operands {
  const void *x;
  long x_stride; /* in elements of x */
  float *out;
  long out_stride;
  const float *bias;
};

INLINE long width_of(enum format format) {
  return format == F32 ? 4 : format == INT8 ? 1 : 2;
}

INLINE long to_64(long bytes) { return (bytes + 63) / 64 * 64; }

/* `group` is a power of two, or 0 for a whole row. */
INLINE struct matrix matrix_of(
    enum format format, long group, const char *packed, long rows, long columns) {
  struct matrix m = {columns, 0, packed, 0, 0, 1, WHOLE_ROW};
  m.row_bytes = format >= INT4 ? (columns + 31) / 32 * 16 : columns * width_of(format);
  if (group) {
    m.group_shift = __builtin_ctzl(group);
    m.groups = (columns + group - 1) >> m.group_shift;
  }
  m.scales = packed + to_64(rows * m.row_bytes);
  m.zeros = packed + to_64(to_64(rows * m.row_bytes) + 4 * rows * m.groups);
  return m;
}

/* A scale or a zero; beyond the last column the last one. */
INLINE float number_of(const struct matrix *m, const char *numbers, long row, long column) {
  float number;
  long group = column >> m->group_shift;
  group = group < m->groups ? group : m->groups - 1;
  __builtin_memcpy(&number, numbers + 4 * (row * m->groups + group), sizeof number);
  return number;
}

#endif
