/* What products with activations in BF16 share: widths, and weights decoded to BF16. */
#ifndef MILLRACE_ROUNDED_H
#define MILLRACE_ROUNDED_H

#include "matrix.h"

/* Columns that one instruction multiplies. */
#define RUN 32

/* Columns of a block of nibbles: 64 bytes, which come apart as four vectors of one nibble a word. */
#define NIBBLES 128

/*
 * Numbers in a row of rounded activations, or of decoded weights: whole blocks, and a run more so
 * that the rows of a block, whose lengths are often powers of two, do not all fall into one set of
 * the L1 cache.
 */
INLINE long padded(long columns) { return (columns + NIBBLES - 1) / NIBBLES * NIBBLES + RUN; }

INLINE __mmask32 left(long columns) {
  return columns >= RUN ? ~(__mmask32)0 : ((__mmask32)1 << columns) - 1;
}

INLINE __m512bh rounded_pair(__m512 low, __m512 high) { return _mm512_cvtne2ps_pbh(high, low); }

/* Four runs of activations in the order in which decoded_nibbles() gives weights. */
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
 * where `nibbles`, in that of decoded_nibbles().
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

/* Where a row of weights lies. */
struct line {
  const char *numbers;
  const char *scales;
  const char *behind;
};

INLINE struct line line_of(const struct matrix *m, long row) {
  long scales = 4 * m->groups * (m->group_rows == 1 ? row : row / m->group_rows);
  return (struct line){m->numbers + row * m->row_bytes, m->scales + scales, m->behind + scales};
}

INLINE __m512 number_at(const char *numbers, long group) {
  float number;
  __builtin_memcpy(&number, numbers + 4 * group, sizeof number);
  return _mm512_set1_ps(number);
}

/* What the 16 codes of a group stand for. */
INLINE __m512 code_values(const struct matrix *m, enum format format, const struct line *l,
                          long group) {
  __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 scale = number_at(l->scales, group);
  switch (format) {
    case CODE4: return _mm512_mul_ps(_mm512_loadu_ps(m->behind), scale);
    case INT4: return _mm512_mul_ps(_mm512_sub_ps(codes, _mm512_set1_ps(8)), scale);
    default: return _mm512_sub_ps(_mm512_mul_ps(codes, scale), number_at(l->behind, group));
  }
}

/*
 * The values of four runs' codes, or of one half of each run where groups are of 16 columns. `runs`:
 * each of the four is a group.
 */
struct values {
  __m512i lower;
  __m512i upper;
};

INLINE struct values values_of(const struct matrix *m, enum format format, const struct line *l,
                               long column, int runs) {
  long groups[4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; r++) /* groups of 32 are the most frequent ones, and need no arithmetic */
    groups[r] = runs ? column / RUN + r : group_of(m, column + r * RUN);
  __m512 a = code_values(m, format, l, groups[0]);
  if (!runs && m->group_columns >= NIBBLES) {
    __m512i all_four = (__m512i)rounded_pair(a, a);
    return (struct values){all_four, all_four};
  }
  __m512 b = code_values(m, format, l, groups[1]);
  __m512 c = code_values(m, format, l, groups[2]);
  __m512 d = code_values(m, format, l, groups[3]);
  return (struct values){(__m512i)rounded_pair(a, b), (__m512i)rounded_pair(c, d)};
}

/* The values of the lowest nibbles of words; words of run r name those of its own 16. */
INLINE __m512bh named_values(__m512i words, struct values v) {
  const __m512i runs = _mm512_set_epi64(
      0x0030003000300030, 0x0030003000300030, 0x0020002000200020, 0x0020002000200020,
      0x0010001000100010, 0x0010001000100010, 0, 0);
  /* (words & 15) | runs */
  __m512i index = _mm512_ternarylogic_epi32(words, _mm512_set1_epi16(15), runs, 0xEA);
  return (__m512bh)_mm512_permutex2var_epi16(v.lower, index, v.upper);
}

/*
 * A block of nibbles as four vectors: nibble v of every word, low ones first. So of run r, vector 0
 * has in lanes 8 r to 8 r + 7 columns 0, 2, 4 .. 14, vector 1 has 16, 18 .. 30, vector 2 has
 * 1, 3 .. 15 and vector 3 has 17, 19 .. 31: the order in which in_words() puts activations.
 */
INLINE void decoded_nibbles(const struct matrix *m, enum format format, const struct line *l,
                            long column, int whole, const int runs, __m512bh *w) {
  const char *p = l->numbers + column / 2;
  __m512i words;
  if (whole) {
    words = _mm512_loadu_si512(p);
  } else {
    long bytes = (m->columns - column + RUN - 1) / RUN * 16;
    words = _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (64 - bytes), p);
  }
  struct values even = values_of(m, format, l, column, runs), odd = even;
  if (!runs && m->group_columns == 16) odd = values_of(m, format, l, column + 16, 0);
  w[0] = named_values(words, even);
  w[1] = named_values(_mm512_srli_epi16(words, 4), odd);
  w[2] = named_values(_mm512_srli_epi16(words, 8), even);
  w[3] = named_values(_mm512_srli_epi16(words, 12), odd);
}

/* 16 weights of a byte each. */
INLINE __m512 decoded_bytes(const struct matrix *m, enum format format, const struct line *l,
                            __m128i bytes, long column) {
  __m512 numbers;
  if (format == FP8) {
    __m512i wide = _mm512_cvtepu8_epi32(bytes);
    numbers = from_e4m3_codes(wide);
  } else {
    numbers = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  }
  if (scaled_late(m, format)) return numbers;
  long group = group_of(m, column);
  numbers = _mm512_mul_ps(numbers, number_at(l->scales, group));
  return format == INT8_ZEROS ? _mm512_sub_ps(numbers, number_at(l->behind, group)) : numbers;
}

/* A run of weights of a byte each. */
INLINE __m512bh decoded_run(const struct matrix *m, enum format format, const struct line *l,
                            long column, int whole) {
  const char *p = l->numbers + column;
  __m256i bytes = whole ? _mm256_loadu_si256((const __m256i *)p)
                        : _mm256_maskz_loadu_epi8(left(m->columns - column), p);
  return rounded_pair(
      decoded_bytes(m, format, l, _mm256_castsi256_si128(bytes), column),
      decoded_bytes(m, format, l, _mm256_extracti128_si256(bytes, 1), column + 16));
}

/* Columns that are decoded at a time. */
INLINE long step_of(enum format format) { return has_nibbles(format) ? NIBBLES : RUN; }

/*
 * A step of a row of weights of a byte or less: one vector, or four. `whole`: it is not cut short by
 * the end of the row; `runs`: groups are of RUN columns. Both are constants where speed matters.
 */
INLINE void decoded_step(const struct matrix *m, enum format format, const struct line *l,
                         long column, int whole, const int runs, __m512bh *w) {
  if (has_nibbles(format)) decoded_nibbles(m, format, l, column, whole, runs && whole, w);
  else w[0] = decoded_run(m, format, l, column, whole);
}

#endif
