/*
 * y = x W^T + b with activations rounded to BF16 (to nearest even) and products summed in F32, two
 * at a time, by vdpbf16ps, which takes subnormal numbers for zero. Weights in BF16 are multiplied
 * where they lie; in INT8 and FP8 with one scale in a row as numbers that are scaled in the end; of
 * four bits as codes whose sums are scaled (rounded_bands.h); all others as what their format stands
 * for, rounded to BF16.
 *
 * An output is one chain per lane over K, in the order in which its format's weights are decoded,
 * then the sum of the lanes, whatever block it is computed in: so its bits depend on its own row of x
 * and of W alone.
 */
#include "blocks.h"
#include "few.h"
#include "rounded_bands.h"

/*
 * Rows first to end - 1 of x, rounded; rows of `out` are padded(columns) numbers long, with zeros
 * behind the last column up to a whole block; where `nibbles`, as round_for_bands() says.
 */
void KERNEL(round_rows)(const float *x, long x_stride, uint16_t *out, long columns, long nibbles,
                        long first, long end) {
  if (nibbles) {
    round_for_bands(x, x_stride, out, columns, first, end);
    return;
  }
  for (long row = first; row < end; row++) {
    const float *from = x + row * x_stride;
    uint16_t *to = out + row * padded(columns);
    for (long k = 0; k < columns; k += BLOCK) round_block(from + k, columns - k, 0, to + k);
  }
}

/* Where the first run of row r is packed. */
INLINE uint16_t *place(const struct matrix *m, uint16_t *packed, long r) {
  return packed + r / ROWS * ROWS * padded(m->columns) + r % ROWS * RUN;
}

/* A matrix of rows as they are decoded or packed. */
INLINE struct matrix made_of(const struct matrix *m, const uint16_t *rows) {
  return (struct matrix){.columns = (m->columns + BLOCK - 1) / BLOCK * BLOCK,
                         .row_bytes = 2 * padded(m->columns),
                         .numbers = (const char *)rows};
}

/* BF16 times many tokens. */
static void bf16_packed(const struct slice *s, long tokens, uint16_t *packed) {
  const struct matrix *m = s->m;
  for (long r = 0; r < s->rows; r++) {
    const char *p = m->numbers + (s->row + r) * m->row_bytes;
    uint16_t *to = place(m, packed, r);
    long k = 0;
    for (; k < m->columns; k += RUN, to += ROWS * RUN)
      _mm512_storeu_si512(to, _mm512_maskz_loadu_epi16(left(m->columns - k), p + 2 * k));
    for (; k % BLOCK; k += RUN, to += ROWS * RUN) _mm512_storeu_si512(to, _mm512_setzero_si512());
  }
  struct matrix rows = made_of(m, packed);
  struct slice of_packed = *s;
  of_packed.m = &rows;
  packed_rows(&of_packed, tokens);
}

/* Rows of codes times all tokens: as they are met by few, decoded once for more. */
INLINE void decoded(const struct matrix *m, enum format format, const int groups,
                    const struct operands *o, uint16_t *scratch, long first_row, long end_row,
                    long tokens) {
  long rows = end_row - first_row;
  struct slice s = {m, o, scaled_late(m, format) ? m : 0, first_row, first_row, rows, 0, 0};
  if (tokens <= DIRECT_TOKENS) {
    if (tokens == 1) direct(&s, format, groups, 1);
    else direct(&s, format, groups, DIRECT_TOKENS);
    return;
  }
  int packed = are_packed(m->columns, tokens);
  struct byte_table table = unscaled_table(format, groups);
  for (long r = 0; r < rows; r++) {
    uint16_t *to = packed ? place(m, scratch, r) : scratch + r * padded(m->columns);
    decoded_row(m, format, first_row + r, &table, groups, to, packed ? ROWS * RUN : RUN);
  }
  struct matrix result = made_of(m, scratch);
  s.m = &result;
  s.row = 0;
  fetch_after(&s, m, end_row, tokens);
  if (packed) packed_rows(&s, tokens);
  else all_tokens(&s, tokens, 0);
}

/* As decoded(), whatever groups there are. */
INLINE void grouped(const struct matrix *m, enum format format, const struct operands *o,
                    uint16_t *scratch, long first_row, long end_row, long tokens) {
  switch (groups_of(m)) {
    case 8: decoded(m, format, 8, o, scratch, first_row, end_row, tokens); break;
    case 4: decoded(m, format, 4, o, scratch, first_row, end_row, tokens); break;
    case 2: decoded(m, format, 2, o, scratch, first_row, end_row, tokens); break;
    case 1: decoded(m, format, 1, o, scratch, first_row, end_row, tokens); break;
    default: decoded(m, format, 0, o, scratch, first_row, end_row, tokens); break;
  }
}

#define GROUPED_IN(format)                                                                         \
  APART void grouped_in_##format(const struct matrix *m, const struct operands *o,                 \
                                 uint16_t *scratch, long first_row, long end_row, long tokens) {   \
    grouped(m, format, o, scratch, first_row, end_row, tokens);                                    \
  }

GROUPED_IN(INT8)
GROUPED_IN(INT8_ZEROS)

/* FP8, which has no groups of two or four a block. */
APART void grouped_in_FP8(const struct matrix *m, const struct operands *o, uint16_t *scratch,
                          long first_row, long end_row, long tokens) {
  switch (groups_of(m)) {
    case GROUPS: decoded(m, FP8, GROUPS, o, scratch, first_row, end_row, tokens); break;
    case 1: decoded(m, FP8, 1, o, scratch, first_row, end_row, tokens); break;
    default: decoded(m, FP8, 0, o, scratch, first_row, end_row, tokens); break;
  }
}

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds rounded rows, for bands where
 * its codes have four bits, and so lie in bands; `scratch` room for (end_row - first_row) rows of weights as
 * long as those, and up to a multiple of 4, but for one token or two; `out` and `bias` point to the
 * matrix's own first output. Matrices in F32 and F16 have no such product.
 */
void KERNEL(rounded_product)(const struct matrix *m, const uint16_t *x, float *out, long out_stride,
                             const float *bias, long first_row, long end_row, long tokens,
                             uint16_t *scratch) {
  struct operands o = {x, padded(m->columns), out, out_stride, bias};
  struct operands in_bands = {x, banded(m->columns), out, out_stride, bias};
  struct slice plain = {m, &o, 0, first_row, first_row, end_row - first_row, 0, 0};
  switch ((enum format)m->format) {
    case BF16:
      if (tokens >= SPREAD_TOKENS && tokens < MANY_TOKENS)
        fetch_after(&plain, m, end_row, tokens);
      if (are_packed(m->columns, tokens)) bf16_packed(&plain, tokens, scratch);
      else all_tokens(&plain, tokens, 1);
      break;
    case INT8: grouped_in_INT8(m, &o, scratch, first_row, end_row, tokens); break;
    case INT8_ZEROS: grouped_in_INT8_ZEROS(m, &o, scratch, first_row, end_row, tokens); break;
    case FP8: grouped_in_FP8(m, &o, scratch, first_row, end_row, tokens); break;
    case INT4: bands_of_INT4(m, &in_bands, first_row, end_row, tokens); break;
    case INT4_ZEROS: bands_of_INT4_ZEROS(m, &in_bands, first_row, end_row, tokens); break;
    case CODE4: bands_of_CODE4(m, &in_bands, first_row, end_row, tokens); break;
    case F32:
    case F16: break;
  }
}
