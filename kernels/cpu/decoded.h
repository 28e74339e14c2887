/* Weights of a byte or less as BF16, a block of 128 columns at a time. */
#ifndef MILLRACE_DECODED_H
#define MILLRACE_DECODED_H

#include "byte_codes.h"

/* Vectors of a block, and most groups. */
#define VECTORS (BLOCK / RUN)
#define GROUPS 8

/* Groups of a block; 0 where rows have one scale; GROUPS where FP8's are of any other size. */
INLINE long groups_of(const struct matrix *m) {
  if (!m->group_columns) return 0;
  if (m->format == FP8) return m->group_columns == BLOCK ? 1 : GROUPS;
  return m->group_shift >= 7 ? 1 : BLOCK >> m->group_shift;
}

/* What the 16 codes of a group stand for. */
INLINE __m512 code_values(const struct matrix *m, enum format format, const number *scale,
                          const number *zero) {
  const __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512 centred = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
  __m512 by = _mm512_set1_ps(*scale);
  switch (format) {
    case CODE4: return _mm512_mul_ps(_mm512_loadu_ps(m->behind), by);
    case INT4: return _mm512_mul_ps(centred, by);
    default: return _mm512_sub_ps(_mm512_mul_ps(codes, by), _mm512_set1_ps(*zero));
  }
}

/* The values of four runs' codes, or of one half of each run where there are eight groups. */
struct values {
  __m512i lower;
  __m512i upper;
};

INLINE struct values values_of(const struct matrix *m, enum format format, const number *scales,
                               const number *zeros, const int groups, const int half) {
  __m512 v[VECTORS];
#pragma GCC unroll 4
  for (int r = 0; r < VECTORS; r++) {
    int group = groups == GROUPS ? 2 * r + half : groups * r / VECTORS;
    if (r > 0 && groups <= 2 && r != groups) v[r] = v[r - 1];
    else v[r] = code_values(m, format, scales + group, zeros + group);
  }
  __m512i lower = (__m512i)rounded_pair(v[0], v[1]);
  return (struct values){lower, (__m512i)rounded_pair(v[2], v[3])};
}

/* The lower nibbles of bytes; before those of run r stands r. */
INLINE __m512i names_of(__m512i bytes) {
  const __m512i runs = _mm512_set_epi64(
      0x3030303030303030, 0x3030303030303030, 0x2020202020202020, 0x2020202020202020,
      0x1010101010101010, 0x1010101010101010, 0, 0);
  return _mm512_ternarylogic_epi32(bytes, _mm512_set1_epi8(15), runs, 0xEA); /* (b & 15) | r */
}

/* The values that the lower bytes of words name. */
INLINE __m512bh named_values(__m512i words, struct values v) {
  return (__m512bh)_mm512_permutex2var_epi16(v.lower, words, v.upper);
}

/* The values of four nibbles of every word where all runs have the same: twice in 32 places. */
INLINE void nibbles_of_one_group(const struct matrix *m, enum format format, __m512i words,
                                 const number *scales, const number *zeros, __m512bh *w) {
  __m512 v = code_values(m, format, scales, zeros);
  __m512i values = (__m512i)rounded_pair(v, v);
#pragma GCC unroll 4
  for (int n = 0; n < VECTORS; n++)
    w[n] = (__m512bh)_mm512_permutexvar_epi16(_mm512_srli_epi16(words, 4 * (unsigned)n), values);
}

/*
 * A block of nibbles, 64 bytes, as vectors of one nibble of every word, low ones first. So of run r,
 * vector 0 has in lanes 8 r to 8 r + 7 columns 0, 2, 4 .. 14, vector 1 has 16, 18 .. 30, vector 2 has
 * 1, 3 .. 15 and vector 3 has 17, 19 .. 31: the order in which in_words() puts activations.
 */
INLINE void nibbles_of(const struct matrix *m, enum format format, const char *p,
                       const number *scales, const number *zeros, const int groups, __m512bh *w) {
  __m512i words = _mm512_loadu_si512(p);
  __asm__("" : "+v"(words)); /* in a register: GCC 12 would read it from memory four times */
  if (groups == 1) {
    nibbles_of_one_group(m, format, words, scales, zeros, w);
    return;
  }
  struct values even = values_of(m, format, scales, zeros, groups, 0), odd = even;
  if (groups == GROUPS) odd = values_of(m, format, scales, zeros, groups, 1);
  __m512i lower = names_of(words), upper = names_of(_mm512_srli_epi16(words, 4));
  w[0] = named_values(lower, even);
  w[1] = named_values(upper, odd);
  w[2] = named_values(_mm512_srli_epi16(lower, 8), even);
  w[3] = named_values(_mm512_srli_epi16(upper, 8), odd);
}

/* 16 weights of a byte each; scaled late where there are no groups. */
INLINE __m512 bytes_as(enum format format, const char *p, const number *scale, const number *zero,
                       const int scaled) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)p);
  __m512 numbers = format == FP8 ? from_e4m3_codes(_mm512_cvtepu8_epi32(bytes))
                                 : _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  if (!scaled) return numbers;
  numbers = _mm512_mul_ps(numbers, _mm512_set1_ps(*scale));
  return has_zeros(format) ? _mm512_sub_ps(numbers, _mm512_set1_ps(*zero)) : numbers;
}

/* A block of bytes whose groups are of one size, in the order of columns. */
INLINE void bytes_of_groups(enum format format, const char *p, const number *scales,
                            const number *zeros, const int groups, __m512bh *w) {
  int scaled = groups > 0 || has_zeros(format);
#pragma GCC unroll 4
  for (int v = 0; v < VECTORS; v++) {
    int low = groups * 2 * v / GROUPS, high = groups * (2 * v + 1) / GROUPS;
    w[v] = rounded_pair(
        bytes_as(format, p + RUN * v, scales + low, zeros + low, scaled),
        bytes_as(format, p + RUN * v + 16, scales + high, zeros + high, scaled));
  }
}

/* A block of FP8 whose scales may change after any 16 columns. */
INLINE void bytes_of_blocks(const struct matrix *m, const char *p, const struct line *l,
                            long column, __m512bh *w) {
#pragma GCC unroll 4
  for (int v = 0; v < VECTORS; v++) {
    const number *low = l->scales + group_of(m, column + RUN * v);
    const number *high = l->scales + group_of(m, column + RUN * v + 16);
    w[v] = rounded_pair(bytes_as(FP8, p + RUN * v, low, low, 1),
                        bytes_as(FP8, p + RUN * v + 16, high, high, 1));
  }
}

/*
 * A block of a row. `p`, `scales` and `zeros` are those of the block, which begins at `column`, and
 * `table`, where its codes are looked up; `groups` is groups_of() and, as `format`, a constant where
 * this is inlined.
 */
INLINE void decoded_block(const struct matrix *m, enum format format, const struct line *l,
                          const char *p, const number *scales, const number *zeros,
                          const struct byte_table *table, long column, const int groups,
                          __m512bh *w) {
  if (has_nibbles(format)) {
    nibbles_of(m, format, p, scales, zeros, groups, w);
  } else if (is_looked_up(format, groups)) {
    looked_up(format, table, p, w);
    looked_up(format, table, p + BLOCK / 2, w + 2);
  } else if (format == FP8) {
    bytes_of_blocks(m, p, l, column, w);
  } else {
    bytes_of_groups(format, p, scales, zeros, groups, w);
  }
}

/* The group of a row's line that a block begins with. */
INLINE long group_at(const struct matrix *m, enum format format, const struct line *l, long column,
                     const int groups) {
  if (format == FP8) return groups == 1 ? group_of(m, column) : 0;
  return groups ? (column >> m->group_shift) - l->first : 0;
}

/* The table of codes that a matrix scales late, or of none. */
INLINE struct byte_table unscaled_table(enum format format, const int groups) {
  return is_looked_up(format, groups) && groups == 0 ? table_times(format, 1)
                                                     : (struct byte_table){0};
}

/* Whether each group has a table of its own. */
INLINE int has_scaled_tables(enum format format, const int groups) {
  return is_looked_up(format, groups) && groups > 0;
}

/* The first n of GROUPS numbers, and the last of these in place of those that are missing. */
INLINE __m256 some_numbers(const number *p, long n) {
  const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  long some = n < GROUPS ? n : GROUPS;
  __m256 numbers = _mm256_maskz_loadu_ps((__mmask8)((1u << some) - 1), p);
  __m256i there = _mm256_min_epi32(places, _mm256_set1_epi32((int)some - 1));
  return _mm256_permutexvar_ps(there, numbers);
}

/* The last block of a row, which is short: its last group stands for those that are missing. */
INLINE void last_block(const struct matrix *m, enum format format, const struct line *l,
                       const struct byte_table *table, long column, const int groups,
                       __m512bh *w) {
  float scales[GROUPS], zeros[GROUPS];
  char numbers[BLOCK];
  long done = bytes_of_columns(format, column), bytes = m->row_bytes - done;
  _mm512_storeu_si512(numbers, some_bytes(l->numbers + done, bytes));
  if (!has_nibbles(format))
    _mm512_storeu_si512(numbers + 64, some_bytes(l->numbers + done + 64, bytes - 64));
  if (format != FP8) {
    long first = group_at(m, format, l, column, groups), there = m->groups - l->first - first;
    _mm256_storeu_ps(scales, some_numbers(l->scales + first, there));
    if (has_zeros(format)) _mm256_storeu_ps(zeros, some_numbers(l->zeros + first, there));
  }
  decoded_block(m, format, l, numbers, (const number *)scales, (const number *)zeros, table, column,
                groups, w);
}

/* A block of a row, whole or not; `table` is unscaled_table(). */
INLINE void block_at(const struct matrix *m, enum format format, const struct line *l,
                     const struct byte_table *table, long column, const int groups, __m512bh *w) {
  long group = group_at(m, format, l, column, groups);
  struct byte_table scaled;
  if (has_scaled_tables(format, groups)) {
    scaled = table_times(format, l->scales[group]);
    table = &scaled;
  }
  if (column + BLOCK > m->columns) {
    last_block(m, format, l, table, column, groups, w);
    return;
  }
  const char *p = l->numbers + bytes_of_columns(format, column);
  decoded_block(m, format, l, p, l->scales + group, l->zeros + group, table, column, groups, w);
}

/* A row as it is decoded once for many tokens; its runs are put `step` numbers apart. */
INLINE void decoded_row(const struct matrix *m, enum format format, long row,
                        const struct byte_table *table, const int groups, uint16_t *to,
                        long step) {
  struct widened scales, zeros;
  struct line l = line_of(m, format, row, 0, &scales, &zeros);
  long span = span_of(m);
  for (long k = 0, next = span; k < m->columns; k += BLOCK) {
    __m512bh w[VECTORS];
    if (k == next) {
      l = line_of(m, format, row, k, &scales, &zeros);
      next += span;
    }
    block_at(m, format, &l, table, k, groups, w);
#pragma GCC unroll 4
    for (long v = 0; v < VECTORS; v++, to += step) _mm512_storeu_si512(to, (__m512i)w[v]);
  }
}

#endif
