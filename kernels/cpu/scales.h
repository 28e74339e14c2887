/* The scales and zeros of a row of weights as F32, however a matrix keeps them. */
#ifndef MILLRACE_SCALES_H
#define MILLRACE_SCALES_H

#include "matrix.h"

/* Columns whose scales are widened at a time; a multiple of 16 groups of any size. */
#define SPAN 4096

/* Scales and zeros of SPAN columns of a row as F32. */
struct widened {
  float scales[SPAN / 16];
  float zeros[SPAN / 16];
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

/* Numbers first to end - 1 of a line, kept in `type`, as F32. */
INLINE void widen_as(const struct matrix *m, const enum scale_type type, const char *line,
                     long first, long end, float *out) {
  for (long g = first; g < end; g += 16)
    _mm512_storeu_ps(out + g - first, numbers_from(m, type, line, g));
}

INLINE void widen(const struct matrix *m, const char *line, long first, long end, float *out) {
  switch ((enum scale_type)m->scale_type) {
    case SCALES_F16: widen_as(m, SCALES_F16, line, first, end, out); break;
    case SCALES_BF16: widen_as(m, SCALES_BF16, line, first, end, out); break;
    case SCALES_TWO_LEVEL: widen_as(m, SCALES_TWO_LEVEL, line, first, end, out); break;
    case SCALES_F32: break;
  }
}

#else

/* Some numbers of bytes times a factor. */
INLINE void widen_block(const char *bytes, float factor, long count, float *out) {
  long g = 0;
  for (; g + LANES <= count; g += LANES)
    store(out + g, mul(from_int8((const int8_t *)bytes + g), all(factor)));
  for (; g < count; g++) out[g] = (float)(int8_t)bytes[g] * factor;
}

/* Numbers first to end - 1 of a line that is not in F32, with which 256 columns begin. */
INLINE void widen(const struct matrix *m, const char *line, long first, long end, float *out) {
  long g = first;
  if (m->scale_type == SCALES_TWO_LEVEL) {
    long count = 1L << (FACTOR_SHIFT - m->group_shift);
    for (; g < end; g += count) {
      float factor = half_at(line + 2 * (g / count));
      widen_block(bytes_of(m, line) + g, factor, end - g < count ? end - g : count, out + g - first);
    }
    return;
  }
  for (; g + LANES <= end; g += LANES) {
    const uint16_t *halves = (const uint16_t *)(line + 2 * g);
    store(out + g - first, m->scale_type == SCALES_F16 ? from_f16(halves) : from_bf16(halves));
  }
  for (; g < end; g++) out[g - first] = number_in(m, line, g);
}

#endif

/* The line of a row from some column on, where a span begins. */
INLINE struct line line_of(const struct matrix *m, enum format format, long row, long column,
                           struct widened *w) {
  const char *numbers = m->numbers + row * m->row_bytes;
  const char *scales = line_at(m, m->scales, row), *zeros = line_at(m, m->behind, row);
  if (m->scale_type == SCALES_F32)
    return (struct line){numbers, (const number *)scales, (const number *)zeros, 0};
  long first = m->group_columns ? column >> m->group_shift : 0;
  long end = m->group_columns ? first + (SPAN >> m->group_shift) : 1;
  end = end < m->groups ? end : m->groups;
  widen(m, scales, first, end, w->scales);
  if (has_zeros(format)) widen(m, zeros, first, end, w->zeros);
  return (struct line){numbers, (const number *)w->scales, (const number *)w->zeros, first};
}

#endif
