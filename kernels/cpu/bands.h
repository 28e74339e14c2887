/*
 * Matrices of four-bit codes in bands of 16 rows, as engine.device.cpu.BandedMatrix arranges them: of
 * a band's rows, the first 32-bit words of codes lie beside each other, then the second ones, and so
 * do the numbers of a group, and the factors of those on two levels. So a vector that is read has a
 * row in each lane. The last band has the rows that are left.
 */
#ifndef MILLRACE_BANDS_H
#define MILLRACE_BANDS_H

#include "scales.h"

/* Rows of a band. */
#define BAND 16

/* Bands that meet activations together, at most. */
#define SIDES 2

/* Columns of a tile, of which numbers are widened at a time. */
#define TILE 512

/* A tile's words of codes of 16 rows: four of each run of 32 columns. */
#define TILE_WORDS (TILE / 8)

/* Tokens that meet all rows of a slice before the next: they stay in the L2 cache. */
#define CHUNK 192

/* The words of a band that is not whole, with nothing in the lanes of missing rows. */
struct spread {
  __m512i words[TILE_WORDS];
};

/* The first of equal parts of n, or nearly equal ones: no more than `most`. */
INLINE long part_of(long n, long most) {
  long parts = (n + most - 1) / most;
  return (n + parts - 1) / parts;
}

/* The first row of the band that `row` is in, and of the last one where there is no such row. */
INLINE long band_of(const struct matrix *m, long row) {
  long last = m->rows - 1;
  return (row < last ? row : last) / BAND * BAND;
}

/* Rows of the band that begins with `row`. */
INLINE long rows_of_band(const struct matrix *m, long row) {
  return m->rows - row < BAND ? m->rows - row : BAND;
}

/* Runs of a tile that have columns. */
INLINE long runs_in(const struct matrix *m, long tile) {
  long left = m->columns - tile * TILE;
  return left < TILE ? (left + 31) / 32 : 16;
}

INLINE __mmask16 lanes_of(long rows) { return (__mmask16)((1u << rows) - 1); }

/* A tile's words: where they lie, or in `spread` where a band is not whole. */
INLINE const __m512i *words_of(const struct matrix *m, long row, long tile, struct spread *spread) {
  const char *p = m->numbers + row * m->row_bytes;
  long rows = rows_of_band(m, row), left = m->row_bytes / 4 - tile * TILE_WORDS;
  p += rows * tile * (TILE / 2);
  if (rows == BAND) return (const __m512i *)p;
  for (long w = 0; w < TILE_WORDS && w < left; w++, p += 4 * rows)
    _mm512_storeu_si512(spread->words + w, _mm512_maskz_loadu_epi32(lanes_of(rows), p));
  return spread->words;
}

/* A group's numbers of a band's rows, from the band's lines, kept in `type`, which has one level. */
INLINE __m512 group_numbers(const enum scale_type type, const char *lines, long rows, long group) {
  __mmask16 there = lanes_of(rows);
  switch (type) {
    case SCALES_F16:
      return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(there, lines + 2 * rows * group));
    case SCALES_BF16: {
      __m256i halves = _mm256_maskz_loadu_epi16(there, lines + 2 * rows * group);
      return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
    }
    default: return _mm512_maskz_loadu_ps(there, lines + 4 * rows * group);
  }
}

/* What becomes of zeros: left as they are, or where codes count from 8, over -136. */
enum zeros { NO_ZEROS, PLAIN_ZEROS, CENTRED_ZEROS };

/* What the number of a code has more than the code, and 8 more. */
#define EXCESS 136

/* Scales, and zeros, of a tile of two bands. */
struct tile_lines {
  float scales[TILE / 16][SIDES][BAND];
  float zeros[TILE / 16][SIDES][BAND];
};

INLINE void put_group(struct tile_lines *to, long g, long side, __m512 scale, __m512 zero,
                      const enum zeros zeros) {
  _mm512_storeu_ps(to->scales[g][side], scale);
  if (zeros == PLAIN_ZEROS) _mm512_storeu_ps(to->zeros[g][side], zero);
  if (zeros == CENTRED_ZEROS)
    _mm512_storeu_ps(to->zeros[g][side],
                     fma_(scale, all(-8.0f / EXCESS), mul(zero, all(1.0f / EXCESS))));
}

/* As widen_tile(), of numbers that are kept in `type`. */
INLINE void widen_tile_as(const struct matrix *m, const enum scale_type type, long row, long tile,
                          long side, const enum zeros zeros, struct tile_lines *to) {
  const char *scales = m->scales + row * m->line_bytes, *behind = m->behind + row * m->line_bytes;
  long groups = TILE >> m->group_shift, first = tile * groups, rows = rows_of_band(m, row);
  long left = m->groups - first;
  for (long g = 0; g < groups && g < left; g++) {
    __m512 zero = all(0);
    if (zeros) zero = group_numbers(type, behind, rows, first + g);
    put_group(to, g, side, group_numbers(type, scales, rows, first + g), zero, zeros);
  }
  /* the second half of the last run may have none */
  if (left < groups) put_group(to, left, side, all(0), all(0), zeros);
}

/* A group's bytes of a band's rows. */
INLINE __m512 group_bytes(const char *bytes, __mmask16 there) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(there, bytes)));
}

INLINE __m512 group_factors(const char *halves, __mmask16 there) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(there, halves));
}

/* As widen_tile(), of numbers on two levels: those of 256 columns have a factor. */
INLINE void widen_two_level_tile(const struct matrix *m, long row, long tile, long side,
                                 const enum zeros zeros, struct tile_lines *to) {
  const char *scales = m->scales + row * m->line_bytes, *behind = m->behind + row * m->line_bytes;
  const long groups = TILE >> m->group_shift, together = 1L << (FACTOR_SHIFT - m->group_shift);
  long first = tile * groups, rows = rows_of_band(m, row), left = m->groups - first;
  const long bytes = rows * (m->line_bytes - m->groups);
  __mmask16 there = lanes_of(rows);
  for (long g = 0; g < groups && g < left;) {
    long factors = 2 * rows * ((first + g) / together), end = g + together;
    __m512 by = group_factors(scales + factors, there), zero_by = all(0);
    if (zeros) zero_by = group_factors(behind + factors, there);
    for (; g < end && g < left; g++) {
      long at = bytes + rows * (first + g);
      __m512 zero = all(0);
      if (zeros) zero = mul(group_bytes(behind + at, there), zero_by);
      put_group(to, g, side, mul(group_bytes(scales + at, there), by), zero, zeros);
    }
  }
  if (left < groups) put_group(to, left, side, all(0), all(0), zeros);
}

/* The scales of a tile of the band that begins with `row`, and its zeros, as F32. */
INLINE void widen_tile(const struct matrix *m, long row, long tile, long side,
                       const enum zeros zeros, struct tile_lines *to) {
  switch ((enum scale_type)m->scale_type) {
    case SCALES_F32: widen_tile_as(m, SCALES_F32, row, tile, side, zeros, to); break;
    case SCALES_F16: widen_tile_as(m, SCALES_F16, row, tile, side, zeros, to); break;
    case SCALES_BF16: widen_tile_as(m, SCALES_BF16, row, tile, side, zeros, to); break;
    case SCALES_TWO_LEVEL: widen_two_level_tile(m, row, tile, side, zeros, to); break;
  }
}

#define WIDEN_WITH(zeros)                                                                          \
  APART void widen_with_##zeros(const struct matrix *m, long row, long tile, long side,            \
                                struct tile_lines *to) {                                           \
    widen_tile(m, row, tile, side, zeros, to);                                                     \
  }

/* How far ahead the words of a band that passes alone are fetched, in bytes. */
#define BAND_AHEAD (16 << 10)

/* What is fetched while bands are multiplied, in the order of memory. */
struct following {
  const char *numbers;
  const char *lines;
  long share; /* bytes of scales that are due with a run */
  long due;
};

/* While so many bands' rows pass, from `row` on: of a single band what follows, else the next rows. */
INLINE struct following following(const struct matrix *m, long row, const int bands) {
  long rows = bands * BAND, ahead = bands == 1 ? BAND_AHEAD : rows * m->row_bytes;
  return (struct following){m->numbers + row * m->row_bytes + ahead,
                            m->scales + (row + SIDES * BAND) * m->line_bytes,
                            rows * m->line_bytes * 32 / m->columns + 1, 0};
}

/* Fetches as much as runs of so many bytes have. */
INLINE void fetch_runs(const struct matrix *m, struct following *f, const long bytes,
                       const long runs, const int zeros) {
  fetch_later(f->numbers, bytes);
  f->numbers += bytes;
  for (f->due += runs * f->share; f->due >= 64; f->due -= 64, f->lines += 64) {
    _mm_prefetch(f->lines, _MM_HINT_T1);
    if (zeros) _mm_prefetch(f->lines + (m->behind - m->scales), _MM_HINT_T1);
  }
}

#endif
