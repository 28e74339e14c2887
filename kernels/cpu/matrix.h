/* A matrix of weights, as docs/device-formats.md lays it out. */
#ifndef MILLRACE_MATRIX_H
#define MILLRACE_MATRIX_H

#include "lanes.h"

/* Those from INT4 on have two codes in a byte. */
enum format {
  F32 = 0, BF16 = 1, F16 = 2, INT8 = 3, INT8_ZEROS = 4, FP8 = 5, INT4 = 6, INT4_ZEROS = 7, CODE4 = 8
};

/* How scales and zeros are kept; the last: bytes for groups, factors in F16 for 256 columns. */
enum scale_type { SCALES_F32 = 0, SCALES_F16 = 1, SCALES_BF16 = 2, SCALES_TWO_LEVEL = 3 };

/* log2 of the columns that share a factor. */
#define FACTOR_SHIFT 8

/* Filled in by engine.device.cpu.NativeMatrix, in this order. */
struct matrix {
  long format;
  long columns;
  long row_bytes;
  const char *numbers;
  const char *scales;
  const char *behind;   /* zeros, or the table of CODE4 */
  long groups;          /* scales of a row */
  long group_columns;   /* columns that share a scale; 0: all */
  long group_shift;     /* log2 of group_columns; -1 if that is no power of two */
  long group_rows;      /* rows that share their scales */
  long scale_type;
  long line_bytes;      /* of the scales of a row, or of its zeros */
};

/* What is multiplied, and where the outputs go. `out` and `bias` are those of the matrix's row 0. */
struct operands {
  const void *x;
  long x_stride; /* in elements of x */
  float *out;
  long out_stride;
  const float *bias;
};

INLINE long width_of(enum format format) {
  return format == F32 ? 4 : format == BF16 || format == F16 ? 2 : 1;
}

INLINE int has_nibbles(enum format format) { return format >= INT4; }

INLINE long group_of(const struct matrix *m, long column) {
  if (m->groups == 1) return 0;
  long group = m->group_shift >= 0 ? column >> m->group_shift : column / m->group_columns;
  return group < m->groups ? group : m->groups - 1;
}

/* The scales or zeros of a row. */
INLINE const char *line_at(const struct matrix *m, const char *numbers, long row) {
  return numbers + m->line_bytes * (m->group_rows == 1 ? row : row / m->group_rows);
}

INLINE float half_at(const char *p) {
  uint16_t bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return _cvtsh_ss(bits);
}

/* The bytes of a line on two levels, behind its factors. */
INLINE const char *bytes_of(const struct matrix *m, const char *line) {
  return line + m->line_bytes - m->groups;
}

/* A scale or a zero; beyond the last column the last one. */
INLINE float number_of(const struct matrix *m, const char *numbers, long row, long column) {
  const char *line = line_at(m, numbers, row);
  long group = group_of(m, column);
  switch ((enum scale_type)m->scale_type) {
    case SCALES_F16: return half_at(line + 2 * group);
    case SCALES_BF16: {
      uint32_t bits = 0;
      __builtin_memcpy((char *)&bits + 2, line + 2 * group, 2);
      float number;
      __builtin_memcpy(&number, &bits, sizeof number);
      return number;
    }
    case SCALES_TWO_LEVEL:
      return half_at(line + 2 * (group << m->group_shift >> FACTOR_SHIFT))
          * (float)(int8_t)bytes_of(m, line)[group];
    default: {
      float number;
      __builtin_memcpy(&number, line + 4 * group, sizeof number);
      return number;
    }
  }
}

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

#endif

#endif
