/*
 * Codes of a byte as numbers in BF16: the two bytes of what each stands for are looked up without its
 * sign, 64 at a time, and the sign is put before them.
 */
#ifndef MILLRACE_BYTE_CODES_H
#define MILLRACE_BYTE_CODES_H

#include "rounded.h"

/* The lower and upper bytes of what 128 codes stand for. */
struct byte_table {
  __m512i lower[2];
  __m512i upper[2];
};

/* Of numbers in eight vectors. */
INLINE struct byte_table table_of(const __m512 *numbers) {
  const __m512i quads = _mm512_setr_epi64(0x0e0c0a0806040200, 0x1e1c1a1816141210,
                                          0x2e2c2a2826242220, 0x3e3c3a3836343230,
                                          0x4e4c4a4846444240, 0x5e5c5a5856545250,
                                          0x6e6c6a6866646260, 0x7e7c7a7876747270);
  const __m512i odd = _mm512_or_si512(quads, _mm512_set1_epi8(1));
  struct byte_table t;
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    const __m512 *of = numbers + 4 * half;
    __m512i first = (__m512i)rounded_pair(of[0], of[1]);
    __m512i second = (__m512i)rounded_pair(of[2], of[3]);
    t.lower[half] = _mm512_permutex2var_epi8(first, quads, second);
    t.upper[half] = _mm512_permutex2var_epi8(first, odd, second);
  }
  return t;
}

/* That of FP8 or INT8, whose codes stand for themselves, times a scale. */
INLINE struct byte_table table_times(enum format format, float scale) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 numbers[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    __m512i codes = _mm512_add_epi32(lane, _mm512_set1_epi32(16 * i));
    numbers[i] = mul(format == FP8 ? from_e4m3_codes(codes) : to_float(codes), all(scale));
  }
  return table_of(numbers);
}

/* Whether a block's codes, in so many groups, are looked up. */
INLINE int is_looked_up(enum format format, const int groups) {
  return format == FP8 ? groups <= 1 : format == INT8 && groups == 0;
}

/* 64 codes as two runs. */
INLINE void looked_up(enum format format, const struct byte_table *t, const char *p, __m512bh *w) {
  const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7); /* as unpacking wants them */
  __m512i codes = _mm512_permutexvar_epi64(order, _mm512_loadu_si512(p));
  __m512i names = format == INT8 ? _mm512_abs_epi8(codes) : codes;
  __m512i lower = _mm512_permutex2var_epi8(t->lower[0], names, t->lower[1]);
  __m512i upper = _mm512_permutex2var_epi8(t->upper[0], names, t->upper[1]);
  upper = _mm512_ternarylogic_epi32(upper, codes, _mm512_set1_epi8(-128), 0x78); /* a ^ (b & c) */
  w[0] = (__m512bh)_mm512_unpacklo_epi8(lower, upper);
  w[1] = (__m512bh)_mm512_unpackhi_epi8(lower, upper);
}

#endif
