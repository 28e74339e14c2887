/*
 * Activations in BF16 for bands of four-bit codes: the columns of each run of 32 in the order in which
 * codes come apart, and the numbers with which its sums begin (rounded_bands.h).
 */
#ifndef MILLRACE_BANDED_ROWS_H
#define MILLRACE_BANDED_ROWS_H

#include "bands.h"
#include "rounded.h"

/* Rows that are multiplied together, at most. */
#define BAND_TOKENS 6

/* Where a run's sums begin that are of both halves, of the first and of the second. */
enum beginning { FIRST, SECOND, BOTH, BEGINNINGS = 4 };

/* Numbers in a row of activations for bands: their own, then, of each run, its beginnings in F32. */
INLINE long banded(long columns) {
  return padded(columns) + (columns + BLOCK - 1) / BLOCK * (BLOCK / RUN) * (2 * BEGINNINGS);
}

/* A run of activations, rounded, in the order in which codes come apart; and its beginnings. */
INLINE void round_run(const float *from, long columns, uint16_t *out, float *beginnings) {
  const __m512i order =
      _mm512_set_epi16(31, 29, 15, 13, 30, 28, 14, 12, 27, 25, 11, 9, 26, 24, 10, 8, 23, 21, 7, 5, 22,
                       20, 6, 4, 19, 17, 3, 1, 18, 16, 2, 0);
  __m512i words = _mm512_permutexvar_epi16(order, rounded_run(from, columns));
  _mm512_storeu_si512(out, words);
  __m512 sums = _mm512_dpbf16_ps(all(0), (__m512bh)words, (__m512bh)_mm512_set1_epi16(0x3F80));
  sums = add(sums, _mm512_shuffle_f32x4(sums, sums, 0x4e));
  sums = add(sums, _mm512_shuffle_f32x4(sums, sums, 0xb1));
  sums = add(sums, _mm512_permute_ps(sums, 0x4e)); /* of the first half and the second, twice */
  __m512 both = add(sums, _mm512_permute_ps(sums, 0xb1));
  sums = mul(_mm512_shuffle_ps(sums, both, 0x44), all(-EXCESS));
  _mm_storeu_ps(beginnings, _mm512_castps512_ps128(sums));
}

/* Rows of x for bands, with zeros behind the last column up to a whole block. */
INLINE void round_for_bands(const float *x, long x_stride, uint16_t *out, long columns, long first,
                            long end) {
  for (long row = first; row < end; row++) {
    uint16_t *to = out + row * banded(columns);
    float *beginnings = (float *)(to + padded(columns));
    for (long k = 0; k < columns; k += BLOCK)
      for (long r = k; r < k + BLOCK; r += RUN)
        round_run(x + row * x_stride + r, columns - r, to + r, beginnings + r / RUN * BEGINNINGS);
  }
}

/* Some rows of activations from a tile on. */
struct band_rows {
  const char *rows[BAND_TOKENS]; /* 64 bytes a run: of each word of codes, four pairs of columns */
  long beginnings;               /* bytes from a row to its beginnings */
};

INLINE struct band_rows band_rows_of(const struct operands *o, long columns, long token, long tile,
                                     const int tokens) {
  struct band_rows x;
  const uint16_t *first = (const uint16_t *)o->x + token * o->x_stride + tile * TILE;
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++) {
    x.rows[t] = (const char *)(first + t * o->x_stride);
    __asm__("" : "+r"(x.rows[t])); /* a register each: GCC 12 would keep every distance */
  }
  x.beginnings = 2 * (padded(columns) - tile * TILE) + tile * (TILE / RUN * BEGINNINGS * 4);
  return x;
}

/* A pair of a run's columns, in every lane. */
INLINE __m512bh pair_at(const struct band_rows *x, const int token, long run, const int index) {
  int32_t two;
  __builtin_memcpy(&two, x->rows[token] + 64 * run + 4 * index, sizeof two);
  return (__m512bh)_mm512_set1_epi32(two);
}

INLINE float beginning_at(const struct band_rows *x, const int token, long run,
                          const enum beginning b) {
  float beginning;
  const char *at = x->rows[token] + x->beginnings + 4 * (run * BEGINNINGS + b);
  __builtin_memcpy(&beginning, at, sizeof beginning);
  return beginning;
}

#endif
