/*
 * y = x W^T + b: F32 activations, weights decoded in registers to exactly the numbers that their
 * format stands for (docs/device-formats.md).
 *
 * An output is one chain of fused multiply-adds per lane over K in ascending order, then the sum of
 * the lanes, whatever block it is computed in: so its bits depend on its own row of x and of W alone.
 */
#include "lanes.h"

enum format { F32 = 0, BF16 = 1, F16 = 2, INT8 = 3 };

/* Weight rows and tokens of a block: all sums, one column of weights and one of x in registers. */
#if LANES == 16
#define ROWS 4
#define TOKENS 6
#else
#define ROWS 3
#define TOKENS 4
#endif

/* Tokens that are multiplied with a slice before the next: their activations stay in the L2 cache. */
#define PANEL_BYTES (384 << 10)

/* How far ahead the weights are fetched, in bytes. */
#define AHEAD 2048

struct matrix {
  enum format format;
  long group;
  long columns;
  const char *numbers;
  const float *scales;
  long scales_per_row;
};

struct operands {
  const float *x;
  long x_stride;
  float *out;
  long out_stride;
  const float *bias;
};

INLINE long width_of(enum format format) {
  return format == F32 ? 4 : format == INT8 ? 1 : 2;
}

INLINE struct matrix matrix_of(
    enum format format, long group, const char *packed, long rows, long columns) {
  long end = (rows * columns + 63) / 64 * 64;
  struct matrix m = {format, group ? group : columns, columns, packed, 0, 1};
  m.scales = (const float *)(packed + end);
  m.scales_per_row = group ? (columns + group - 1) / group : 1;
  return m;
}

INLINE float scale_of(const struct matrix *m, long row, long column) {
  float scale;
  long g = m->scales_per_row == 1 ? 0 : column / m->group;
  __builtin_memcpy(&scale, m->scales + row * m->scales_per_row + g, sizeof scale);
  return scale;
}

INLINE lanes weights(const struct matrix *m, enum format format, long row, long column) {
  long at = row * m->columns + column;
  const char *p = m->numbers + at * width_of(format);
  switch (format) {
    case F32: return load((const float *)p);
    case BF16: return from_bf16((const uint16_t *)p);
    case F16: return from_f16((const uint16_t *)p);
    default: return mul(from_int8((const int8_t *)p), all(scale_of(m, row, column)));
  }
}

/* The last weights of a row, where fewer than a vector are left. */
INLINE lanes last_weights(const struct matrix *m, enum format format, long row, long column) {
  char numbers[LANES * 4] = {0};
  long count = m->columns - column;
  long at = row * m->columns + column;
  __builtin_memcpy(numbers, m->numbers + at * width_of(format), count * width_of(format));
  switch (format) {
    case F32: return load((const float *)numbers);
    case BF16: return from_bf16((const uint16_t *)numbers);
    case F16: return from_f16((const uint16_t *)numbers);
    default: return mul(from_int8((const int8_t *)numbers), all(scale_of(m, row, column)));
  }
}

/* A block of `rows` times `tokens` outputs; both are constants where this is inlined. */
INLINE void block(const struct matrix *m, enum format format, const struct operands *o, long row,
                  long token, const int rows, const int tokens) {
  lanes sums[ROWS][TOKENS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = all(0);
  const float *x = o->x + token * o->x_stride;
  long k = 0;
  for (; k + LANES <= m->columns; k += LANES) {
    lanes w[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      w[r] = weights(m, format, row + r, k);
      if (tokens == 1)
        _mm_prefetch(m->numbers + ((row + r) * m->columns + k) * width_of(format) + AHEAD,
                     _MM_HINT_T0);
    }
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) {
      lanes column = load(x + t * o->x_stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) sums[r][t] = fma_(w[r], column, sums[r][t]);
    }
  }
  if (k < m->columns) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      lanes w = last_weights(m, format, row + r, k);
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++)
        sums[r][t] = fma_(w, load_first(x + t * o->x_stride + k, m->columns - k), sums[r][t]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    float bias = o->bias ? o->bias[row + r] : 0;
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++)
      o->out[(token + t) * o->out_stride + row + r] = sum_of(sums[r][t]) + bias;
  }
}

INLINE void tokens_of(const struct matrix *m, enum format format, const struct operands *o, long row,
                      long first_token, long end_token, const int rows) {
  long token = first_token;
  for (; token + TOKENS <= end_token; token += TOKENS) block(m, format, o, row, token, rows, TOKENS);
  for (; token + 2 <= end_token; token += 2) block(m, format, o, row, token, rows, 2);
  if (token < end_token) block(m, format, o, row, token, rows, 1);
}

INLINE void slice(const struct matrix *m, enum format format, const struct operands *o,
                  long first_row, long end_row, long tokens) {
  long panel = PANEL_BYTES / (4 * m->columns) / TOKENS * TOKENS;
  panel = panel < TOKENS ? TOKENS : panel;
  for (long token = 0; token < tokens; token += panel) {
    long end = token + panel < tokens ? token + panel : tokens;
    long row = first_row;
    for (; row + ROWS <= end_row; row += ROWS) tokens_of(m, format, o, row, token, end, ROWS);
    for (; row < end_row; row++) tokens_of(m, format, o, row, token, end, 1);
  }
}

/*
 * Rows first_row to end_row - 1 of a matrix of rows x columns, times all tokens. `out` and `bias`
 * point to the matrix's own first output.
 */
void KERNEL(product)(long format, long group, const char *packed, long rows, long columns,
                     const float *x, long x_stride, float *out, long out_stride, const float *bias,
                     long first_row, long end_row, long tokens) {
  struct matrix m = matrix_of((enum format)format, group, packed, rows, columns);
  struct operands o = {x, x_stride, out, out_stride, bias};
  switch (format) {
    case F32: slice(&m, F32, &o, first_row, end_row, tokens); break;
    case BF16: slice(&m, BF16, &o, first_row, end_row, tokens); break;
    case F16: slice(&m, F16, &o, first_row, end_row, tokens); break;
    default: slice(&m, INT8, &o, first_row, end_row, tokens); break;
  }
}
