/*
 * A tile of 32 rows of W with a row in each lane, for products in integers: rows of bytes are turned,
 * four-bit codes lie so in their bands.
 */
#ifndef MILLRACE_PANEL_H
#define MILLRACE_PANEL_H

#include "integer_runs.h"
#include "transposed.h"

#define PANEL_ROWS (SIDES * BAND)

/* A tile of 32 rows of W: four columns of a row in each lane of a vector; scales and zeros of groups. */
struct panel {
  uint8_t codes[TILE / 4][SIDES][64];
  const __m512i *words[SIDES]; /* instead of codes, where two share a byte */
  struct spread spread[SIDES];
  struct tile_lines lines;
} __attribute__((aligned(64)));

/* The rows of a panel. */
struct rows {
  const struct matrix *m;
  long first;
  long count;
};

/* A row of a panel; those that are not there are the last one. */
INLINE long row_of(const struct rows *r, long i) {
  return r->first + (i < r->count ? i : r->count - 1);
}

/* 64 bytes of each of 16 rows, of which `left` are there, as 16 vectors of four bytes of each. */
INLINE void turned(const struct rows *r, long side, long offset, long left, __m512i *words) {
#pragma GCC unroll 16
  for (int i = 0; i < BAND; i++)
    words[i] = some_bytes(
        r->m->numbers + row_of(r, BAND * side + i) * r->m->row_bytes + offset, left);
  transpose(words);
}

APART void turn_bytes(const struct rows *r, long tile, struct panel *to) {
  long left = r->m->columns - tile * TILE;
  for (long side = 0; side < SIDES; side++)
    for (long i = 0; i < TILE / 64 && left > 64 * i; i++) {
      __m512i words[16];
      turned(r, side, tile * TILE + 64 * i, left - 64 * i, words);
#pragma GCC unroll 16
      for (int w = 0; w < 16; w++)
        _mm512_store_si512(to->codes[16 * i + w][side],
                           _mm512_xor_si512(words[w], _mm512_set1_epi8(-128)));
    }
}

/* Columns 4 `word` to 4 `word` + 3 of a half of a run of 16 rows. */
INLINE __m512i codes_of(const struct panel *w, long run, const int half, int word, int side,
                        const struct kind k) {
  const __m512i low = _mm512_set1_epi8(15);
  if (!k.nibbles) return _mm512_load_si512(w->codes[8 * run + 4 * half + word][side]);
  __m512i two = _mm512_loadu_si512(w->words[side] + 4 * run + word);
  return _mm512_and_si512(half ? _mm512_srli_epi16(two, 4) : two, low);
}

/* As turn_lines(), of numbers that are kept in `type`. */
INLINE void turn_lines_as(const struct plan *p, const struct rows *r, const enum scale_type type,
                          const char *lines, long tile, float to[TILE / 16][SIDES][BAND]) {
  for (long side = 0; side < SIDES; side++)
    for (long g = 0; g == 0 || g < p->groups; g += 16) {
      __m512i words[16];
#pragma GCC unroll 16
      for (int i = 0; i < BAND; i++) {
        const char *line = line_at(p->m, INT4, lines, row_of(r, BAND * side + i));
        words[i] = _mm512_castps_si512(numbers_from(p->m, type, line, tile * p->groups + g));
      }
      transpose(words);
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) _mm512_store_si512(to[g + i][side], words[i]);
    }
}

/* The numbers of a tile's groups, from lines of scales or zeros. */
APART void turn_lines(const struct plan *p, const struct rows *r, const char *lines, long tile,
                      float to[TILE / 16][SIDES][BAND]) {
  switch ((enum scale_type)p->m->scale_type) {
    case SCALES_F32: turn_lines_as(p, r, SCALES_F32, lines, tile, to); break;
    case SCALES_F16: turn_lines_as(p, r, SCALES_F16, lines, tile, to); break;
    case SCALES_BF16: turn_lines_as(p, r, SCALES_BF16, lines, tile, to); break;
    case SCALES_TWO_LEVEL: turn_lines_as(p, r, SCALES_TWO_LEVEL, lines, tile, to); break;
  }
}

WIDEN_WITH(NO_ZEROS)
WIDEN_WITH(PLAIN_ZEROS)

/* Gets a tile of rows ready: from bands, or turned. */
INLINE void turn(const struct plan *p, const struct rows *r, long tile, const struct kind k,
                 struct panel *to) {
  const struct matrix *m = p->m;
  if (!k.nibbles) {
    turn_bytes(r, tile, to);
    if (k.scaling != LATE) turn_lines(p, r, m->scales, tile, to->lines.scales);
    if (k.zeros) turn_lines(p, r, m->behind, tile, to->lines.zeros);
    return;
  }
  for (long side = 0; side < k.bands; side++) {
    long row = band_of(m, r->first + BAND * side);
    to->words[side] = words_of(m, row, tile, to->spread + side);
    if (k.zeros) widen_with_PLAIN_ZEROS(m, row, tile, side, &to->lines);
    else widen_with_NO_ZEROS(m, row, tile, side, &to->lines);
  }
}

#endif
