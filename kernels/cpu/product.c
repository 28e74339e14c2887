/*
 * y = x W^T + b: F32 activations, weights decoded in registers to exactly the numbers that their
 * format stands for (docs/device-formats.md).
 *
 * An output is one chain of fused multiply-adds per lane over K in ascending order, then the sum of
 * the lanes, whatever block it is computed in: so its bits depend on its own row of x and of W alone.
 */
#include "scales.h"

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

/* How far ahead weights are fetched, in bytes: whole blocks of rows. */
#define AHEAD 2048

/* What codes, numbers already, stand for. */
INLINE lanes scaled(enum format format, lanes code, const struct line *l, long group) {
  lanes scale = all(l->scales[group]);
  switch (format) {
    case INT4: return mul(sub(code, all(8.0f)), scale);
    case INT8_ZEROS:
    case INT4_ZEROS: return sub(mul(code, scale), all(l->zeros[group]));
    default: return mul(code, scale);
  }
}

/* A vector of weights of a row, of bytes that lie at p. */
INLINE lanes of_bytes(enum format format, const char *p, const struct line *l, long group) {
  switch (format) {
    case F32: return load((const float *)p);
    case BF16: return from_bf16((const uint16_t *)p);
    case F16: return from_f16((const uint16_t *)p);
    case FP8: return scaled(format, from_e4m3((const uint8_t *)p), l, group);
    default: return scaled(format, from_int8((const int8_t *)p), l, group);
  }
}

INLINE lanes of_nibbles(const struct matrix *m, enum format format, const struct line *l,
                        long column, long group) {
  const char *p = l->numbers + column / 32 * 16 + column % 16;
  integers codes = nibbles((const uint8_t *)p, column % 32 >= 16);
  lanes numbers = format == CODE4 ? named((const float *)m->behind, codes) : to_float(codes);
  return scaled(format, numbers, l, group);
}

/* A vector of weights of a row; `group` counts from the line's first. */
INLINE lanes weights(const struct matrix *m, enum format format, const struct line *l, long column,
                     long group) {
  return has_nibbles(format)
      ? of_nibbles(m, format, l, column, group)
      : of_bytes(format, l->numbers + column * width_of(format), l, group);
}

/* The last weights of a row, where fewer than a vector are left. Rows of nibbles are padded. */
INLINE lanes last_weights(const struct matrix *m, enum format format, const struct line *l,
                          long column, long group) {
  if (has_nibbles(format)) return weights(m, format, l, column, group);
  char numbers[LANES * 4] = {0};
  long width = width_of(format);
  __builtin_memcpy(numbers, l->numbers + column * width, (m->columns - column) * width);
  return of_bytes(format, numbers, l, group);
}

/*
 * Fetches weights that follow: where decoding takes longest, to where it finds them at once; else into
 * the L2 cache, which memory fills up to twice as fast.
 */
INLINE void fetch(enum format format, const char *p, const long bytes) {
  if (has_nibbles(format) || format == FP8) fetch_bytes(p, bytes);
  else fetch_later(p, bytes);
}

/* Whole vectors of a block's rows in columns from `k` on; the rows that follow lie at `next`. */
INLINE long whole_vectors(const struct matrix *m, enum format format, const struct line *lines,
                          const float *x, long x_stride, long k, long end, const char *next,
                          lanes all_sums[ROWS][TOKENS], const int rows, const int tokens) {
  lanes sums[ROWS][TOKENS]; /* in registers */
  struct line l[ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    l[r] = lines[r];
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = all_sums[r][t];
  }
  long group = m->groups > 1 ? group_of(m, k) : 0;
  long width = m->groups > 1 ? m->group_columns : m->columns; /* of a group: whole vectors */
  long change = (group + 1) * width;
  group -= lines[0].first;
  next += rows * bytes_of_columns(format, k);
  for (; k + LANES <= end; k += LANES) {
    lanes w[ROWS];
    if (k == change) {
      group++;
      change += width;
    }
    fetch(format, next, rows * bytes_of_columns(format, LANES));
    next += rows * bytes_of_columns(format, LANES);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) w[r] = weights(m, format, l + r, k, group);
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) {
      lanes column = load(x + t * x_stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) sums[r][t] = fma_(w[r], column, sums[r][t]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) all_sums[r][t] = sums[r][t];
  return k;
}

/*
 * A block of `rows` times `tokens` outputs; both are constants where this is inlined. Fetches rows
 * that lie `ahead` further, one after the other, as memory gives most.
 */
INLINE void block(const struct matrix *m, enum format format, const struct operands *o, long row,
                  long token, long ahead, const int rows, const int tokens) {
  lanes sums[ROWS][TOKENS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = all(0);
  const float *x = (const float *)o->x + token * o->x_stride;
  struct widened scales[ROWS], zeros[ROWS];
  struct line lines[ROWS];
  const char *next = m->numbers + (row + ahead) * m->row_bytes;
  long k = 0, span = span_of(m);
  for (long from = 0; from < m->columns; from += span) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) lines[r] = line_of(m, format, row + r, from, scales + r, zeros + r);
    long end = m->columns - from < span ? m->columns : from + span;
    k = whole_vectors(m, format, lines, x, o->x_stride, k, end, next, sums, rows, tokens);
  }
  if (k < m->columns) {
    long group = group_of(m, k) - lines[0].first;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      lanes w = last_weights(m, format, lines + r, k, group);
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
  long token = first_token, part = rows * m->row_bytes;
  long ahead = (AHEAD + part - 1) / part * rows; /* for the first tokens; then 0: they are there */
  for (; token + TOKENS <= end_token; token += TOKENS, ahead = 0)
    block(m, format, o, row, token, ahead, rows, TOKENS);
  for (; token + 2 <= end_token; token += 2, ahead = 0)
    block(m, format, o, row, token, ahead, rows, 2);
  if (token < end_token) block(m, format, o, row, token, ahead, rows, 1);
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

#define SLICE_IN(format)                                                                           \
  APART void slice_in_##format(const struct matrix *m, const struct operands *o, long first_row,   \
                               long end_row, long tokens) {                                        \
    slice(m, format, o, first_row, end_row, tokens);                                               \
  }

SLICE_IN(F32)
SLICE_IN(BF16)
SLICE_IN(F16)
SLICE_IN(INT8)
SLICE_IN(INT8_ZEROS)
SLICE_IN(FP8)
SLICE_IN(INT4)
SLICE_IN(INT4_ZEROS)
SLICE_IN(CODE4)

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `out` and `bias` point to the
 * matrix's own first output.
 */
void KERNEL(product)(const struct matrix *m, const float *x, long x_stride, float *out,
                     long out_stride, const float *bias, long first_row, long end_row,
                     long tokens) {
  struct operands o = {x, x_stride, out, out_stride, bias};
  switch ((enum format)m->format) {
    case F32: slice_in_F32(m, &o, first_row, end_row, tokens); break;
    case BF16: slice_in_BF16(m, &o, first_row, end_row, tokens); break;
    case F16: slice_in_F16(m, &o, first_row, end_row, tokens); break;
    case INT8: slice_in_INT8(m, &o, first_row, end_row, tokens); break;
    case INT8_ZEROS: slice_in_INT8_ZEROS(m, &o, first_row, end_row, tokens); break;
    case FP8: slice_in_FP8(m, &o, first_row, end_row, tokens); break;
    case INT4: slice_in_INT4(m, &o, first_row, end_row, tokens); break;
    case INT4_ZEROS: slice_in_INT4_ZEROS(m, &o, first_row, end_row, tokens); break;
    case CODE4: slice_in_CODE4(m, &o, first_row, end_row, tokens); break;
  }
}
