/* The scales and zeros of a row of weights as F32, however a matrix keeps them. */
#ifndef MILLRACE_SCALES_H
#define MILLRACE_SCALES_H

#include "matrix.h"

/* Columns whose scales are widened at a time; a multiple of 16 groups of any size. */
#define SPAN 4096

/* Scales or zeros of SPAN columns of a row as F32. */
struct widened {
  float numbers[SPAN / 16] __attribute__((aligned(64)));
};

/* Some groups of a row. */
struct groups {
  long first;
  long end;
};

/* A number at any address. */
typedef float number __attribute__((aligned(1), may_alias));

/* Where a row of weights lies, and its scales and zeros in F32. */
struct line {
  const char *numbers;
  const number *scales; /* of group `first` */
  const number *zeros;  /* the same for these; nothing where there are none */
  long first;
};

/* Columns for which a line is good. */
INLINE long span_of(const struct matrix *m) {
  return m->scale_type == SCALES_F32 ? m->columns : SPAN;
}

INLINE int has_zeros(enum format format) { return format == INT4_ZEROS || format == INT8_ZEROS; }

#if LANES == 16

/* The first n of 16 numbers of 16 bits each, the others 0. */
INLINE __m256i some_halves(const char *p, long n) {
  if (n >= 16) return _mm256_loadu_si256((const __m256i *)p);
  return _mm256_maskz_loadu_epi16((__mmask16)((1u << (n > 0 ? n : 0)) - 1), p);
}

/* The first n of 64 bytes, the others 0; none where n is negative. */
INLINE __m512i some_bytes(const char *p, long n) {
  if (n >= 64) return _mm512_loadu_si512(p);
  if (n <= 0) return _mm512_setzero_si512();
  return _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (64 - n), p);
}

/* 16 numbers on two levels, of which `left` are there. */
INLINE __m512 of_two_levels(const struct matrix *m, const char *line, long first, long left) {
  const __m512i count = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const char *bytes = bytes_of(m, line) + first;
  const char *factors = line + 2 * (first << m->group_shift >> FACTOR_SHIFT);
  __m128i halves, codes;
  if (left >= 16) { /* so many bytes lie behind the factors, too */
    halves = _mm_loadu_si128((const __m128i *)factors);
    codes = _mm_loadu_si128((const __m128i *)bytes);
  } else {
    halves = _mm256_castsi256_si128(some_halves(factors, (bytes - first - factors) / 2));
    codes = _mm_maskz_loadu_epi8((__mmask16)((1u << (left > 0 ? left : 0)) - 1), bytes);
  }
  __m512i of = _mm512_srli_epi32(count, (unsigned)(FACTOR_SHIFT - m->group_shift));
  __m512 by = _mm512_castps256_ps512(_mm256_cvtph_ps(halves));
  return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(codes)),
                       _mm512_permutexvar_ps(of, by));
}

/*
 * 16 numbers of a line, kept in `type`, from group `first` on, with which 256 columns begin; 0
 * behind the last one.
 */
INLINE __m512 numbers_from(const struct matrix *m, enum scale_type type, const char *line,
                           long first) {
  long left = m->groups - first;
  switch (type) {
    case SCALES_F16: return _mm512_cvtph_ps(some_halves(line + 2 * first, left));
    case SCALES_BF16: {
      __m512i words = _mm512_cvtepu16_epi32(some_halves(line + 2 * first, left));
      return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    }
    case SCALES_TWO_LEVEL: return of_two_levels(m, line, first, left);
    default:
      if (left >= 16) return _mm512_loadu_ps(line + 4 * first);
      return _mm512_maskz_loadu_ps((__mmask16)((1u << (left > 0 ? left : 0)) - 1), line + 4 * first);
  }
}

/* As widen_lines(), in steps of 16 numbers. */
INLINE void widen_as(const struct matrix *m, const enum scale_type type, const char *const *lines,
                     const int count, struct groups groups, struct widened *out) {
  for (long g = groups.first; g < groups.end; g += 16)
#pragma GCC unroll 8
    for (int n = 0; n < count; n++)
      _mm512_storeu_ps(out[n].numbers + g - groups.first, numbers_from(m, type, lines[n], g));
}

/* As widen_lines(), of lines on two levels: factors are widened once for 64 numbers. */
INLINE void widen_two_levels(const struct matrix *m, const char *const *lines, const int count,
                             struct groups groups, struct widened *out) {
  const __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  unsigned shift = (unsigned)(FACTOR_SHIFT - m->group_shift);
  __m512i of[4];
#pragma GCC unroll 4
  for (int v = 0; v < 4; v++)
    of[v] = _mm512_srli_epi32(_mm512_add_epi32(places, _mm512_set1_epi32(16 * v)), shift);
  long g = groups.first;
  /* so many share 16 factors at most; 64 bytes lie behind these, too */
  for (; 64 >> shift <= 16 && groups.end - g >= 64; g += 64)
    for (int n = 0; n < count; n++) {
      const char *bytes = bytes_of(m, lines[n]) + g, *factors = lines[n] + 2 * (g >> shift);
      float *to = out[n].numbers + g - groups.first;
      __m512 by = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)factors));
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) {
        __m512i codes = _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(bytes + 16 * v)));
        __m512 factor = _mm512_permutexvar_ps(of[v], by);
        _mm512_storeu_ps(to + 16 * v, _mm512_mul_ps(_mm512_cvtepi32_ps(codes), factor));
      }
    }
  for (; g < groups.end; g += 16)
    for (int n = 0; n < count; n++)
      _mm512_storeu_ps(out[n].numbers + g - groups.first,
                       numbers_from(m, SCALES_TWO_LEVEL, lines[n], g));
}

/* Some groups' numbers of some lines as F32, unless they are. 256 columns begin with the first. */
INLINE void widen_lines(const struct matrix *m, const char *const *lines, const int count,
                        struct groups groups, struct widened *out) {
  switch ((enum scale_type)m->scale_type) {
    case SCALES_F16: widen_as(m, SCALES_F16, lines, count, groups, out); break;
    case SCALES_BF16: widen_as(m, SCALES_BF16, lines, count, groups, out); break;
    case SCALES_TWO_LEVEL: widen_two_levels(m, lines, count, groups, out); break;
    case SCALES_F32: break;
  }
}

APART void widen(const struct matrix *m, const char *line, struct groups groups,
                 struct widened *out) {
  widen_lines(m, &line, 1, groups, out);
}

#else

/* Some numbers of bytes times a factor. */
INLINE void widen_block(const char *bytes, float factor, long count, float *out) {
  long g = 0;
  for (; g + LANES <= count; g += LANES)
    store(out + g, mul(from_int8((const int8_t *)bytes + g), all(factor)));
  for (; g < count; g++) out[g] = (float)(int8_t)bytes[g] * factor;
}

/* Some groups' numbers of a line that is not in F32, with which 256 columns begin. */
APART void widen(const struct matrix *m, const char *line, struct groups groups,
                 struct widened *out) {
  long g = groups.first;
  if (m->scale_type == SCALES_TWO_LEVEL) {
    long count = 1L << (FACTOR_SHIFT - m->group_shift);
    for (; g < groups.end; g += count) {
      float factor = half_at(line + 2 * (g / count));
      long some = groups.end - g < count ? groups.end - g : count;
      widen_block(bytes_of(m, line) + g, factor, some, out->numbers + g - groups.first);
    }
    return;
  }
  for (; g + LANES <= groups.end; g += LANES) {
    const uint16_t *halves = (const uint16_t *)(line + 2 * g);
    store(out->numbers + g - groups.first,
          m->scale_type == SCALES_F16 ? from_f16(halves) : from_bf16(halves));
  }
  for (; g < groups.end; g++) out->numbers[g - groups.first] = number_in(m, line, g);
}

#endif

/* Those that begin with a column where a span does. */
INLINE struct groups groups_from(const struct matrix *m, long column) {
  if (!m->group_columns) return (struct groups){0, 1};
  long first = column >> m->group_shift, end = first + (SPAN >> m->group_shift);
  return (struct groups){first, end < m->groups ? end : m->groups};
}

/* The line of a row from some column on, where a span begins, widened already if it is not F32. */
INLINE struct line line_in(const struct matrix *m, enum format format, long row, long column,
                           const struct widened *scales, const struct widened *zeros) {
  const char *numbers = m->numbers + row * m->row_bytes;
  if (m->scale_type == SCALES_F32)
    return (struct line){numbers, (const number *)line_at(m, format, m->scales, row),
                         (const number *)line_at(m, format, m->behind, row), 0};
  return (struct line){numbers, (const number *)scales->numbers,
                       (const number *)zeros->numbers, groups_from(m, column).first};
}

/* As line_in(), which it widens. */
INLINE struct line line_of(const struct matrix *m, enum format format, long row, long column,
                           struct widened *scales, struct widened *zeros) {
  if (m->scale_type != SCALES_F32) {
    struct groups g = groups_from(m, column);
    widen(m, line_at(m, format, m->scales, row), g, scales);
    if (has_zeros(format)) widen(m, line_at(m, format, m->behind, row), g, zeros);
  }
  return line_in(m, format, row, column, scales, zeros);
}

#endif
