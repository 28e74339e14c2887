/*
 * y = x W^T + b with activations rounded to BF16 (to nearest even) and products summed in F32, two
 * at a time, by vdpbf16ps, which takes subnormal numbers for zero. Weights in BF16 are multiplied
 * where they lie; in INT8 and FP8 with one scale in a row as numbers that are scaled in the end; all
 * others as what their format stands for, rounded to BF16.
 *
 * An output is one chain per lane over K in ascending order, then the sum of the lanes, whatever
 * block it is computed in: so its bits depend on its own row of x and of W alone.
 */
#ifdef __AVX512BF16__

#include "matrix.h"

/* Columns that one instruction multiplies. */
#define RUN 32

/* Weight rows and tokens of a block: all sums, one run of weights and one of x in registers. */
#define ROWS 4
#define TOKENS 6

/* So few tokens are multiplied with weights as they are decoded; for more, a slice is decoded first. */
#define DIRECT_TOKENS 2

/* How far ahead the weights of a row are fetched, in bytes. */
#define AHEAD 2048

/*
 * Numbers in a row of rounded activations, or of decoded weights: whole runs, and one more so that
 * the rows of a block, whose lengths are often powers of two, do not all fall into one set of the
 * L1 cache.
 */
INLINE long padded(long columns) { return (columns + RUN - 1) / RUN * RUN + RUN; }

INLINE __mmask32 left(long columns) {
  return columns >= RUN ? ~(__mmask32)0 : ((__mmask32)1 << columns) - 1;
}

INLINE __m512bh rounded_pair(__m512 low, __m512 high) { return _mm512_cvtne2ps_pbh(high, low); }

/* Rows first to end - 1 of x, rounded; rows of `out` are padded(columns) numbers long. */
void KERNEL(round_rows)(const float *x, long x_stride, uint16_t *out, long columns, long first,
                        long end) {
  for (long row = first; row < end; row++) {
    const float *from = x + row * x_stride;
    uint16_t *to = out + row * padded(columns);
    for (long k = 0; k < columns; k += RUN) {
      __mmask32 mask = left(columns - k);
      __m512bh pair = rounded_pair(_mm512_maskz_loadu_ps((__mmask16)mask, from + k),
                                   _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), from + k + 16));
      _mm512_storeu_si512(to + k, (__m512i)pair);
    }
  }
}

/* Whether a row's sum is scaled, not its weights. */
INLINE int scaled_late(const struct matrix *m, enum format format) {
  return (format == INT8 || format == FP8) && !m->group_columns;
}

/* What the 16 codes of a group stand for. */
INLINE __m256i code_values(const struct matrix *m, enum format format, long row, long column) {
  __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 scale = _mm512_set1_ps(number_of(m, m->scales, row, column));
  if (format == CODE4) {
    codes = _mm512_mul_ps(_mm512_loadu_ps(m->behind), scale);
  } else if (format == INT4) {
    codes = _mm512_mul_ps(_mm512_sub_ps(codes, _mm512_set1_ps(8)), scale);
  } else {
    __m512 zero = _mm512_set1_ps(number_of(m, m->behind, row, column));
    codes = _mm512_sub_ps(_mm512_mul_ps(codes, scale), zero);
  }
  return (__m256i)_mm512_cvtneps_pbh(codes);
}

/* The values of a run's two halves: 16 numbers each, different where groups are of 16 columns. */
INLINE __m512i table_of(const struct matrix *m, enum format format, long row, long column) {
  __m256i values = code_values(m, format, row, column);
  __m256i others = m->group_columns == 16 ? code_values(m, format, row, column + 16) : values;
  return _mm512_inserti64x4(_mm512_castsi256_si512(values), others, 1);
}

/* A run of a row of INT4: its lower codes index the table's first half, the upper ones its second. */
INLINE __m512bh decoded_int4(const char *codes, __m512i table) {
  __m256i bytes = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)codes));
  __m512i both =
      _mm512_inserti64x4(_mm512_castsi256_si512(bytes), _mm256_srli_epi16(bytes, 4), 1);
  __m512i half = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(16), 1);
  /* (both & 15) | half */
  __m512i index = _mm512_ternarylogic_epi32(both, _mm512_set1_epi16(15), half, 0xEA);
  return (__m512bh)_mm512_permutexvar_epi16(index, table);
}

/* 16 weights of a byte each. */
INLINE __m512 decoded_bytes(const struct matrix *m, enum format format, __m128i bytes, long row,
                            long column) {
  uint8_t copied[16];
  _mm_storeu_si128((__m128i *)copied, bytes);
  __m512 numbers = format == FP8 ? from_e4m3(copied) : from_int8((const int8_t *)copied);
  if (scaled_late(m, format)) return numbers;
  numbers = _mm512_mul_ps(numbers, _mm512_set1_ps(number_of(m, m->scales, row, column)));
  if (format != INT8_ZEROS) return numbers;
  return _mm512_sub_ps(numbers, _mm512_set1_ps(number_of(m, m->behind, row, column)));
}

INLINE __m512bh decoded_run(const struct matrix *m, enum format format, const char *p, long row,
                            long column, __mmask32 mask) {
  __m256i bytes = _mm256_maskz_loadu_epi8(mask, p);
  return rounded_pair(
      decoded_bytes(m, format, _mm256_castsi256_si128(bytes), row, column),
      decoded_bytes(m, format, _mm256_extracti128_si256(bytes, 1), row, column + 16));
}

/* Whether the weights of a run have their scale from the run before. */
INLINE int same_group(const struct matrix *m, long column) {
  return m->group_columns > RUN && column & (m->group_columns - 1);
}

/* A run of weights; `table` holds the values of its row's current group. */
INLINE __m512bh weights(const struct matrix *m, enum format format, long row, long column,
                        __m512i *table) {
  const char *p = m->numbers + row * m->row_bytes;
  __mmask32 mask = left(m->columns - column);
  switch (format) {
    case BF16:
      return (__m512bh)_mm512_maskz_loadu_epi16(mask, (const uint16_t *)p + column);
    case INT8:
    case INT8_ZEROS:
    case FP8: return decoded_run(m, format, p + column, row, column, mask);
    default:
      if (!same_group(m, column)) *table = table_of(m, format, row, column);
      return decoded_int4(p + column / 2, *table);
  }
}

/* The sums of four vectors. */
INLINE __m128 sums_of(lanes a, lanes b, lanes c, lanes d) {
  __m256 ab = _mm256_hadd_ps(halves_added(a), halves_added(b));
  __m256 cd = _mm256_hadd_ps(halves_added(c), halves_added(d));
  __m256 all_four = _mm256_hadd_ps(ab, cd);
  return _mm_add_ps(_mm256_castps256_ps128(all_four), _mm256_extractf128_ps(all_four, 1));
}

/*
 * Fetches what follows the current run of a block's rows. Rows of BF16 are long enough for each to
 * be a stream of its own; the others are fetched a block ahead, where they lie side by side.
 */
INLINE void fetch(const struct matrix *m, enum format format, long row, long column) {
  const char *p = m->numbers + row * m->row_bytes;
  if (format == BF16) {
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
      _mm_prefetch(p + r * m->row_bytes + 2 * column + AHEAD, _MM_HINT_T0);
    return;
  }
  p += ROWS * m->row_bytes;
  if (!has_nibbles(format)) {
    _mm_prefetch(p + ROWS * column, _MM_HINT_T0);
    _mm_prefetch(p + ROWS * column + 64, _MM_HINT_T0);
  } else {
    _mm_prefetch(p + ROWS / 2 * column, _MM_HINT_T0);
  }
  if (m->groups > 1 && m->group_rows == 1) {
    long scale = 4 * ((row + ROWS) * m->groups + ROWS * group_of(m, column));
    _mm_prefetch(m->scales + scale, _MM_HINT_T0);
    if (format == INT4_ZEROS) _mm_prefetch(m->behind + scale, _MM_HINT_T0);
  }
}

/* A slice of a matrix and where its outputs go. */
struct slice {
  const struct matrix *m;
  const struct operands *o;
  const struct matrix *scales; /* that a sum takes its scale from, or none */
  long row;                    /* of the matrix */
  long output;
  long rows;
};

/* Up to ROWS rows times `tokens`, which is a constant where this is inlined. */
INLINE void block(const struct slice *s, enum format format, long done, long token,
                  const int tokens, int fetching) {
  const struct matrix *m = s->m;
  long rows = s->rows - done < ROWS ? s->rows - done : ROWS;
  lanes sums[ROWS][TOKENS];
  __m512i tables[ROWS];
  long real[ROWS]; /* the last one again where there are fewer */
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    real[r] = s->row + done + (r < rows ? r : rows - 1);
    tables[r] = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = all(0);
  }
  long stride = s->o->x_stride;
  const uint16_t *x = (const uint16_t *)s->o->x + token * stride;
  for (long k = 0; k < m->columns; k += RUN) {
    __m512bh w[ROWS];
    if (fetching) fetch(m, format, real[0], k);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) w[r] = weights(m, format, real[r], k, &tables[r]);
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) {
      __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w[r], column);
    }
  }
  long output = s->output + done;
  __mmask8 mask = (__mmask8)((1 << rows) - 1);
  float scales[ROWS] = {1, 1, 1, 1};
  for (long r = 0; s->scales && r < rows; r++)
    scales[r] = number_of(s->scales, s->scales->scales, output + r, 0);
  __m128 bias = s->o->bias ? _mm_maskz_loadu_ps(mask, s->o->bias + output) : _mm_setzero_ps();
#pragma GCC unroll 8
  for (int t = 0; t < tokens; t++) {
    __m128 y = sums_of(sums[0][t], sums[1][t], sums[2][t], sums[3][t]);
    y = _mm_add_ps(_mm_mul_ps(y, _mm_loadu_ps(scales)), bias);
    _mm_mask_storeu_ps(s->o->out + (token + t) * s->o->out_stride + output, mask, y);
  }
}

INLINE void some_tokens(const struct slice *s, enum format format, long token, const int tokens,
                        int fetching) {
  for (long done = 0; done < s->rows; done += ROWS) block(s, format, done, token, tokens, fetching);
}

/* Rows of BF16 stay in the L2 cache while tokens pass in blocks of about the same size. */
static void all_tokens(const struct slice *s, long tokens, int fetching) {
  long blocks = (tokens + TOKENS - 1) / TOKENS;
  long token = 0;
  for (long b = 0; b < blocks; b++) {
    int fetch_now = fetching && b == 0;
    long size = (tokens - token + blocks - b - 1) / (blocks - b);
    switch (size) {
      case 1: some_tokens(s, BF16, token, 1, fetch_now); break;
      case 2: some_tokens(s, BF16, token, 2, fetch_now); break;
      case 3: some_tokens(s, BF16, token, 3, fetch_now); break;
      case 4: some_tokens(s, BF16, token, 4, fetch_now); break;
      case 5: some_tokens(s, BF16, token, 5, fetch_now); break;
      default: some_tokens(s, BF16, token, 6, fetch_now); break;
    }
    token += size;
  }
}

/* Decodes rows once where they meet more tokens than one block has. */
INLINE void slice(const struct matrix *m, enum format format, const struct operands *o,
                  uint16_t *scratch, long first_row, long end_row, long tokens) {
  long rows = end_row - first_row;
  struct slice s = {m, o, scaled_late(m, format) ? m : 0, first_row, first_row, rows};
  if (format == BF16) {
    all_tokens(&s, tokens, 1);
    return;
  }
  if (tokens <= DIRECT_TOKENS) {
    if (tokens == 1) some_tokens(&s, format, 0, 1, 1);
    else some_tokens(&s, format, 0, 2, 1);
    return;
  }
  struct matrix decoded = {
      .columns = m->columns, .row_bytes = 2 * padded(m->columns), .numbers = (const char *)scratch};
  for (long r = 0; r < rows; r++) {
    __m512i table = _mm512_setzero_si512();
    for (long k = 0; k < m->columns; k += RUN) {
      if (r % ROWS == 0) fetch(m, format, first_row + r, k);
      __m512bh w = weights(m, format, first_row + r, k, &table);
      _mm512_storeu_si512(scratch + r * padded(m->columns) + k, (__m512i)w);
    }
  }
  s.m = &decoded;
  s.row = 0;
  all_tokens(&s, tokens, 0);
}

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds rounded rows, `scratch` room
 * for (end_row - first_row) rows of weights as long as those; `out` and `bias` point to the matrix's
 * own first output. Matrices in F32 and F16 have no such product.
 */
void KERNEL(rounded_product)(const struct matrix *m, const uint16_t *x, float *out, long out_stride,
                             const float *bias, long first_row, long end_row, long tokens,
                             uint16_t *scratch) {
  struct operands o = {x, padded(m->columns), out, out_stride, bias};
  switch ((enum format)m->format) {
    case BF16: slice(m, BF16, &o, scratch, first_row, end_row, tokens); break;
    case INT8: slice(m, INT8, &o, scratch, first_row, end_row, tokens); break;
    case INT8_ZEROS: slice(m, INT8_ZEROS, &o, scratch, first_row, end_row, tokens); break;
    case FP8: slice(m, FP8, &o, scratch, first_row, end_row, tokens); break;
    case INT4: slice(m, INT4, &o, scratch, first_row, end_row, tokens); break;
    case INT4_ZEROS: slice(m, INT4_ZEROS, &o, scratch, first_row, end_row, tokens); break;
    case CODE4: slice(m, CODE4, &o, scratch, first_row, end_row, tokens); break;
    case F32:
    case F16: break;
  }
}

#endif
