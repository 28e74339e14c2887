/* A matrix of weights, as docs/device-formats.md lays it out. */
#ifndef MILLRACE_MATRIX_H
#define MILLRACE_MATRIX_H

#include "lanes.h"

/* Those from INT4 on have two codes in a byte. */
enum format {
  F32 = 0, BF16 = 1, F16 = 2, INT8 = 3, INT8_ZEROS = 4, FP8 = 5, INT4 = 6, INT4_ZEROS = 7, CODE4 = 8
};

/* How scales and zeros are kept; the last: bytes for groups, factors in F16 for 256 columns. */
enum scale_type { SCALES_F32 = 0, SCALES_F16 = 1, SCALES_BF16 = 2, SCALES_TWO_LEVEL = 3 };

/* log2 of the columns that share a factor. */
#define FACTOR_SHIFT 8

/* Filled in by engine.device.cpu.NativeMatrix, in this order. */
struct matrix {
  long format;
  long rows;
  long columns;
  long row_bytes;
  const char *numbers;
  const char *scales;
  const char *behind;   /* zeros, or the table of CODE4 */
  long groups;          /* scales of a row */
  long group_columns;   /* columns that share a scale; 0: all */
  long group_shift;     /* log2 of group_columns; -1 if that is no power of two */
  long group_rows;      /* rows that share their scales */
  long scale_type;
  long line_bytes;      /* of the scales of a row, or of its zeros */
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

INLINE long bytes_of_columns(enum format format, long columns) {
  return has_nibbles(format) ? columns / 2 : columns * width_of(format);
}

INLINE long group_of(const struct matrix *m, long column) {
  if (m->groups == 1) return 0;
  long group = m->group_shift >= 0 ? column >> m->group_shift : column / m->group_columns;
  return group < m->groups ? group : m->groups - 1;
}

/* The scales or zeros of a row. Rows share them in FP8 alone: elsewhere nothing is divided. */
INLINE const char *line_at(const struct matrix *m, enum format format, const char *numbers,
                           long row) {
  return numbers + m->line_bytes * (format == FP8 ? row / m->group_rows : row);
}

INLINE float half_at(const char *p) {
  uint16_t bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return _cvtsh_ss(bits);
}

/* The bytes of a line on two levels, behind its factors. */
INLINE const char *bytes_of(const struct matrix *m, const char *line) {
  return line + m->line_bytes - m->groups;
}

/* A number of a line. */
INLINE float number_in(const struct matrix *m, const char *line, long group) {
  switch ((enum scale_type)m->scale_type) {
    case SCALES_F16: return half_at(line + 2 * group);
    case SCALES_BF16: {
      uint32_t bits = 0;
      __builtin_memcpy((char *)&bits + 2, line + 2 * group, 2);
      float number;
      __builtin_memcpy(&number, &bits, sizeof number);
      return number;
    }
    case SCALES_TWO_LEVEL:
      return half_at(line + 2 * (group << m->group_shift >> FACTOR_SHIFT))
          * (float)(int8_t)bytes_of(m, line)[group];
    default: {
      float number;
      __builtin_memcpy(&number, line + 4 * group, sizeof number);
      return number;
    }
  }
}

/* A scale or a zero; beyond the last column the last one. */
INLINE float number_of(const struct matrix *m, const char *numbers, long row, long column) {
  return number_in(m, line_at(m, (enum format)m->format, numbers, row), group_of(m, column));
}

#endif
