/* What products with activations in BF16 share: widths and rounding. */
#ifndef MILLRACE_ROUNDED_H
#define MILLRACE_ROUNDED_H

#include "scales.h"

/* Columns that one instruction multiplies. */
#define RUN 32

/* Columns of a block, of which weights are decoded at a time. */
#define BLOCK 128

/*
 * Numbers in a row of rounded activations, or of decoded weights: whole blocks, and a run more so
 * that the rows of a block, whose lengths are often powers of two, do not all fall into one set of
 * the L1 cache.
 */
INLINE long padded(long columns) { return (columns + BLOCK - 1) / BLOCK * BLOCK + RUN; }

INLINE __mmask32 left(long columns) {
  return columns >= RUN ? ~(__mmask32)0 : ((__mmask32)1 << columns) - 1;
}

INLINE __m512bh rounded_pair(__m512 low, __m512 high) { return _mm512_cvtne2ps_pbh(high, low); }

/* Four runs of activations in the order in which nibbles_of() gives weights. */
INLINE void in_words(uint16_t *out, const __m512i *runs) {
  const __m512i order = _mm512_set_epi16(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1,
                                         30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  for (long r = 0; r < 4; r++) {
    __m512i words = _mm512_permutexvar_epi16(order, runs[r]);
    _mm_storeu_si128((__m128i *)(out + 8 * r), _mm512_castsi512_si128(words));
    _mm_storeu_si128((__m128i *)(out + RUN + 8 * r), _mm512_extracti32x4_epi32(words, 1));
    _mm_storeu_si128((__m128i *)(out + 2 * RUN + 8 * r), _mm512_extracti32x4_epi32(words, 2));
    _mm_storeu_si128((__m128i *)(out + 3 * RUN + 8 * r), _mm512_extracti32x4_epi32(words, 3));
  }
}

INLINE __m512i rounded_run(const float *from, long columns) {
  if (columns <= 0) return _mm512_setzero_si512();
  __mmask32 mask = left(columns);
  return (__m512i)rounded_pair(_mm512_maskz_loadu_ps((__mmask16)mask, from),
                               _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), from + 16));
}

/*
 * A block of activations, rounded, with zeros behind the last column: in the order of columns, or,
 * where `nibbles`, in that of nibbles_of().
 */
INLINE void round_block(const float *from, long columns, long nibbles, uint16_t *out) {
  __m512i runs[4];
  for (long r = 0; r < 4; r++) runs[r] = rounded_run(from + r * RUN, columns - r * RUN);
  if (nibbles) in_words(out, runs);
  else for (long r = 0; r < 4; r++) _mm512_storeu_si512(out + r * RUN, runs[r]);
}

/* Whether a row's sum is scaled, not its weights. */
INLINE int scaled_late(const struct matrix *m, enum format format) {
  return (format == INT8 || format == FP8) && !m->group_columns;
}

#endif
