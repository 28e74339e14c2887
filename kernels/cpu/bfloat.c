/*
 * y = x W^T + b with activations rounded to BF16 (to nearest even) and products summed in F32, two
 * at a time, by vdpbf16ps, which takes subnormal numbers for zero. Weights in BF16 are multiplied
 * where they lie; in INT8 and FP8 with one scale in a row as numbers that are scaled in the end; all
 * others as what their format stands for, rounded to BF16.
 *
 * An output is one chain per lane over K, in the order in which its format's weights are decoded,
 * then the sum of the lanes, whatever block it is computed in: so its bits depend on its own row of x
 * and of W alone.
 */
#include "rounded.h"

/* Weight rows and tokens of a block: all sums, one run of weights and one of x in registers. */
#define ROWS 4
#define TOKENS 6

/* So few tokens are multiplied with weights as they are decoded; for more, a slice is decoded first. */
#define DIRECT_TOKENS 2

/* How far ahead the weights of a row are fetched, in bytes, where several tokens are multiplied. */
#define AHEAD 2048

/*
 * Rows first to end - 1 of x, rounded; rows of `out` are padded(columns) numbers long, with zeros
 * behind the last column up to a whole block. In the order of columns, or, where `nibbles`, in that
 * of decoded_nibbles().
 */
void KERNEL(round_rows)(const float *x, long x_stride, uint16_t *out, long columns, long nibbles,
                        long first, long end) {
  for (long row = first; row < end; row++) {
    const float *from = x + row * x_stride;
    uint16_t *to = out + row * padded(columns);
    for (long k = 0; k < columns; k += NIBBLES) round_block(from + k, columns - k, nibbles, to + k);
  }
}

/* Rows of a matrix and where their outputs go. */
struct slice {
  const struct matrix *m;
  const struct operands *o;
  const struct matrix *scales; /* that a sum takes its scale from, or none */
  long row;                    /* of the matrix */
  long output;
  long rows;
};

/* Row `r` of a block; the slice's last one again where there are fewer. */
INLINE long row_of(const struct slice *s, long done, long r) {
  return s->row + (done + r < s->rows ? done + r : s->rows - 1);
}

/* Puts the outputs of a block's rows for one token. */
INLINE void put(const struct slice *s, long done, long token, lanes a, lanes b, lanes c, lanes d) {
  long output = s->output + done, rows = s->rows - done < ROWS ? s->rows - done : ROWS;
  __mmask8 mask = (__mmask8)((1 << rows) - 1);
  __m128 y = sums_of(a, b, c, d);
  if (s->scales) {
    float scales[ROWS] = {1, 1, 1, 1};
    for (long r = 0; r < rows; r++)
      scales[r] = number_of(s->scales, s->scales->scales, output + r, 0);
    y = _mm_mul_ps(y, _mm_loadu_ps(scales));
  }
  if (s->o->bias) y = _mm_add_ps(y, _mm_maskz_loadu_ps(mask, s->o->bias + output));
  _mm_mask_storeu_ps(s->o->out + token * s->o->out_stride + output, mask, y);
}

/* Up to ROWS rows of BF16 times `tokens`, which is a constant where this is inlined. */
INLINE void block(const struct slice *s, long done, long token, const int tokens, int fetching) {
  const struct matrix *m = s->m;
  lanes sums[ROWS][TOKENS];
  const char *p[ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    p[r] = m->numbers + row_of(s, done, r) * m->row_bytes;
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = all(0);
  }
  long stride = s->o->x_stride, k = 0;
  const uint16_t *x = (const uint16_t *)s->o->x + token * stride;
  long end = m->columns / RUN * RUN;
#pragma GCC unroll 2
  for (; k < end; k += RUN) {
    __m512bh w[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      if (fetching) _mm_prefetch(p[r] + 2 * k + AHEAD, _MM_HINT_T0);
      w[r] = (__m512bh)_mm512_loadu_si512(p[r] + 2 * k);
    }
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) {
      __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w[r], column);
    }
  }
  if (k < m->columns) {
    __mmask32 mask = left(m->columns - k);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      __m512bh w = (__m512bh)_mm512_maskz_loadu_epi16(mask, p[r] + 2 * k);
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) {
        __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
        sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w, column);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < tokens; t++)
    put(s, done, token + t, sums[0][t], sums[1][t], sums[2][t], sums[3][t]);
}

INLINE void some_tokens(const struct slice *s, long token, const int tokens, int fetching) {
  for (long done = 0; done < s->rows; done += ROWS) block(s, done, token, tokens, fetching);
}

/*
 * Rows of BF16 stay in the L2 cache while tokens pass in blocks of about the same size. With one
 * token the processor's own prefetching keeps up with memory; instructions for it cost a third.
 */
static void all_tokens(const struct slice *s, long tokens, int fetching) {
  long blocks = (tokens + TOKENS - 1) / TOKENS;
  long token = 0;
  for (long b = 0; b < blocks; b++) {
    int fetch_now = fetching && b == 0;
    long size = (tokens - token + blocks - b - 1) / (blocks - b);
    switch (size) {
      case 1: some_tokens(s, token, 1, 0); break;
      case 2: some_tokens(s, token, 2, fetch_now); break;
      case 3: some_tokens(s, token, 3, fetch_now); break;
      case 4: some_tokens(s, token, 4, fetch_now); break;
      case 5: some_tokens(s, token, 5, fetch_now); break;
      default: some_tokens(s, token, 6, fetch_now); break;
    }
    token += size;
  }
}

/* A step of a block of rows whose weights are decoded, times one token or two. */
INLINE void direct_step(const struct slice *s, enum format format, const struct line *lines,
                        const uint16_t *x, long k, int whole, const int runs,
                        lanes sums[ROWS][DIRECT_TOKENS], const int tokens) {
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    __m512bh w[4];
    decoded_step(s->m, format, lines + r, k, whole, runs, w);
#pragma GCC unroll 8
    for (int v = 0; v < step_of(format) / RUN; v++)
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) {
        const uint16_t *column = x + t * s->o->x_stride + k + v * RUN;
        sums[r][t] =
            _mm512_dpbf16_ps(sums[r][t], w[v], (__m512bh)_mm512_loadu_si512(column));
      }
  }
}

/*
 * Fetches what the next block of rows has in this step's columns. Of scales, which lie in lines one
 * after the other, a line a step is enough for groups of 32.
 */
INLINE void fetch_next(const struct matrix *m, enum format format, const struct line *lines,
                       long column) {
  long done = has_nibbles(format) ? column / 2 : column;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
    _mm_prefetch(lines[r].numbers + ROWS * m->row_bytes + done, _MM_HINT_T0);
  if (m->groups > 1 && m->group_rows == 1) {
    long scale = ROWS * 4 * (m->groups + group_of(m, column));
    _mm_prefetch(lines[0].scales + scale, _MM_HINT_T0);
    if (format == INT4_ZEROS || format == INT8_ZEROS)
      _mm_prefetch(lines[0].behind + scale, _MM_HINT_T0);
  }
}

/* One token or two times rows whose weights are decoded as they are met. */
INLINE void direct(const struct slice *s, enum format format, const int runs, const int tokens) {
  const struct matrix *m = s->m;
  const uint16_t *x = (const uint16_t *)s->o->x;
  for (long done = 0; done < s->rows; done += ROWS) {
    lanes sums[ROWS][DIRECT_TOKENS];
    struct line lines[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      lines[r] = line_of(m, row_of(s, done, r));
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) sums[r][t] = all(0);
    }
    long k = 0, step = step_of(format);
    for (; k + step <= m->columns; k += step) {
      fetch_next(m, format, lines, k);
      direct_step(s, format, lines, x, k, 1, runs, sums, tokens);
    }
    if (k < m->columns) direct_step(s, format, lines, x, k, 0, runs, sums, tokens);
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) put(s, done, t, sums[0][t], sums[1][t], sums[2][t], sums[3][t]);
  }
}

/* Decodes rows once where they meet more tokens than one block has. */
INLINE void decoded(const struct matrix *m, enum format format, const struct operands *o,
                    uint16_t *scratch, long first_row, long end_row, long tokens) {
  long rows = end_row - first_row, step = step_of(format);
  struct slice s = {m, o, scaled_late(m, format) ? m : 0, first_row, first_row, rows};
  int runs = m->group_columns == RUN;
  if (tokens <= DIRECT_TOKENS) {
    if (runs && tokens == 1) direct(&s, format, 1, 1);
    else if (tokens == 1) direct(&s, format, 0, 1);
    else direct(&s, format, 0, DIRECT_TOKENS);
    return;
  }
  for (long r = 0; r < rows; r++) {
    struct line l = line_of(m, first_row + r);
    uint16_t *to = scratch + r * padded(m->columns);
    for (long k = 0; k < m->columns; k += step) {
      __m512bh w[4];
      decoded_step(m, format, &l, k, k + step <= m->columns, 0, w);
      for (long v = 0; v < step / RUN; v++)
        _mm512_storeu_si512(to + k + v * RUN, (__m512i)w[v]);
    }
  }
  struct matrix result = {.columns = (m->columns + step - 1) / step * step,
                          .row_bytes = 2 * padded(m->columns),
                          .numbers = (const char *)scratch};
  s.m = &result;
  s.row = 0;
  all_tokens(&s, tokens, 0);
}

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds rounded rows, in the order
 * of nibbles for formats that have them; `scratch` room for (end_row - first_row) rows of weights as
 * long as those; `out` and `bias` point to the matrix's own first output. Matrices in F32 and F16
 * have no such product.
 */
void KERNEL(rounded_product)(const struct matrix *m, const uint16_t *x, float *out, long out_stride,
                             const float *bias, long first_row, long end_row, long tokens,
                             uint16_t *scratch) {
  struct operands o = {x, padded(m->columns), out, out_stride, bias};
  struct slice plain = {m, &o, 0, first_row, first_row, end_row - first_row};
  switch ((enum format)m->format) {
    case BF16: all_tokens(&plain, tokens, 1); break;
    case INT8: decoded(m, INT8, &o, scratch, first_row, end_row, tokens); break;
    case INT8_ZEROS: decoded(m, INT8_ZEROS, &o, scratch, first_row, end_row, tokens); break;
    case FP8: decoded(m, FP8, &o, scratch, first_row, end_row, tokens); break;
    case INT4: decoded(m, INT4, &o, scratch, first_row, end_row, tokens); break;
    case INT4_ZEROS: decoded(m, INT4_ZEROS, &o, scratch, first_row, end_row, tokens); break;
    case CODE4: decoded(m, CODE4, &o, scratch, first_row, end_row, tokens); break;
    case F32:
    case F16: break;
  }
}
