/*
 * y = x W^T + b: F32 activations, weights decoded in registers to exactly the numbers that their
 * format stands for (docs/device-formats.md).
 *
 * An output is one chain of fused multiply-adds per lane over K in ascending order, then the sum of
 * the lanes, whatever block it is computed in: so its bits depend on its own row of x and of W alone.
 */
#include "matrix.h"

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

/* What codes, numbers already, stand for. */
INLINE lanes scaled(const struct matrix *m, enum format format, lanes code, long row, long column) {
  lanes scale = all(number_of(m, m->scales, row, column));
  switch (format) {
    case INT4: return mul(sub(code, all(8.0f)), scale);
    case INT8_ZEROS:
    case INT4_ZEROS: return sub(mul(code, scale), all(number_of(m, m->behind, row, column)));
    default: return mul(code, scale);
  }
}

/* A vector of weights of a row, of bytes that lie at p. */
INLINE lanes of_bytes(const struct matrix *m, enum format format, const char *p, long row,
                      long column) {
  switch (format) {
    case F32: return load((const float *)p);
    case BF16: return from_bf16((const uint16_t *)p);
    case F16: return from_f16((const uint16_t *)p);
    case FP8: return scaled(m, format, from_e4m3((const uint8_t *)p), row, column);
    default: return scaled(m, format, from_int8((const int8_t *)p), row, column);
  }
}

INLINE lanes of_nibbles(const struct matrix *m, enum format format, const char *p, long row,
                        long column) {
  integers codes = nibbles((const uint8_t *)p, column % 32 >= 16);
  lanes numbers = format == CODE4 ? named((const float *)m->behind, codes) : to_float(codes);
  return scaled(m, format, numbers, row, column);
}

/* A vector of weights of a row. */
INLINE lanes weights(const struct matrix *m, enum format format, long row, long column) {
  const char *p = m->numbers + row * m->row_bytes;
  return has_nibbles(format)
      ? of_nibbles(m, format, p + column / 32 * 16 + column % 16, row, column)
      : of_bytes(m, format, p + column * width_of(format), row, column);
}

/* The last weights of a row, where fewer than a vector are left. Rows of nibbles are padded. */
INLINE lanes last_weights(const struct matrix *m, enum format format, long row, long column) {
  if (has_nibbles(format)) return weights(m, format, row, column);
  char numbers[LANES * 4] = {0};
  long width = width_of(format);
  __builtin_memcpy(numbers, m->numbers + row * m->row_bytes + column * width,
                   (m->columns - column) * width);
  return of_bytes(m, format, numbers, row, column);
}

/* A block of `rows` times `tokens` outputs; both are constants where this is inlined. */
INLINE void block(const struct matrix *m, enum format format, const struct operands *o, long row,
                  long token, const int rows, const int tokens) {
  lanes sums[ROWS][TOKENS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = all(0);
  const float *x = (const float *)o->x + token * o->x_stride;
  long k = 0;
  for (; k + LANES <= m->columns; k += LANES) {
    lanes w[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      w[r] = weights(m, format, row + r, k);
      if (tokens == 1) {
        long done = has_nibbles(format) ? k / 2 : k * width_of(format);
        _mm_prefetch(m->numbers + (row + r) * m->row_bytes + done + AHEAD, _MM_HINT_T0);
      }
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
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `out` and `bias` point to the
 * matrix's own first output.
 */
void KERNEL(product)(const struct matrix *m, const float *x, long x_stride, float *out,
                     long out_stride, const float *bias, long first_row, long end_row,
                     long tokens) {
  struct operands o = {x, x_stride, out, out_stride, bias};
  switch ((enum format)m->format) {
    case F32: slice(m, F32, &o, first_row, end_row, tokens); break;
    case BF16: slice(m, BF16, &o, first_row, end_row, tokens); break;
    case F16: slice(m, F16, &o, first_row, end_row, tokens); break;
    case INT8: slice(m, INT8, &o, first_row, end_row, tokens); break;
    case INT8_ZEROS: slice(m, INT8_ZEROS, &o, first_row, end_row, tokens); break;
    case FP8: slice(m, FP8, &o, first_row, end_row, tokens); break;
    case INT4: slice(m, INT4, &o, first_row, end_row, tokens); break;
    case INT4_ZEROS: slice(m, INT4_ZEROS, &o, first_row, end_row, tokens); break;
    case CODE4: slice(m, CODE4, &o, first_row, end_row, tokens); break;
  }
}
