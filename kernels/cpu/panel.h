/*
 * A tile of 32 rows of W turned, so that a lane is a row, for products in integers of many tokens.
 */
#ifndef MILLRACE_PANEL_H
#define MILLRACE_PANEL_H

#include "integer_runs.h"
#include "transposed.h"

/* Vectors of rows of a panel. */
#define SIDES 2
#define PANEL_ROWS (SIDES * LANE_ROWS)

/* A tile of 32 rows of W: four columns of a row in each lane of a vector; scales and zeros of groups. */
struct panel {
  uint8_t codes[TILE / 4][SIDES][64];
  float scales[TILE / 16][SIDES][LANE_ROWS];
  float zeros[TILE / 16][SIDES][LANE_ROWS];
} __attribute__((aligned(64)));

/* The rows of a panel, and what is fetched meanwhile. */
struct rows {
  const struct matrix *m;
  long first;
  long count;
  const char *next;
  const char *next_line;
  long line_share; /* bytes of scales that are due with a run */
  long line_due;
};

INLINE struct rows rows_of(const struct matrix *m, long first, long count) {
  long behind = first + PANEL_ROWS;
  return (struct rows){m, first, count, m->numbers + behind * m->row_bytes,
                       m->scales + behind * m->line_bytes,
                       PANEL_ROWS * m->line_bytes * 32 / m->columns + 1, 0};
}

/* A row of a panel; those that are not there are the last one. */
INLINE long row_of(const struct rows *r, long i) {
  return r->first + (i < r->count ? i : r->count - 1);
}

/* 64 bytes of each of 16 rows, of which `left` are there, as 16 vectors of four bytes of each. */
INLINE void turned(const struct rows *r, long side, long offset, long left, __m512i *words) {
#pragma GCC unroll 16
  for (int i = 0; i < LANE_ROWS; i++)
    words[i] = some_bytes(
        r->m->numbers + row_of(r, LANE_ROWS * side + i) * r->m->row_bytes + offset, left);
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

/* Both codes of a byte stay together until they are multiplied, which spares half the stores. */
APART void turn_nibbles(const struct rows *r, long tile, struct panel *to) {
  long left = r->m->row_bytes - tile * (TILE / 2);
  for (long side = 0; side < SIDES; side++)
    for (long i = 0; i < TILE / 128 && left > 64 * i; i++) {
      __m512i words[16];
      turned(r, side, tile * (TILE / 2) + 64 * i, left - 64 * i, words);
#pragma GCC unroll 16
      for (int w = 0; w < 16; w++) _mm512_store_si512(to->codes[16 * i + w][side], words[w]);
    }
}

/* Columns 4 `word` to 4 `word` + 3 of a half of a run of 16 rows. */
INLINE __m512i codes_of(const struct panel *w, long run, const int half, int word, int side,
                        const struct kind k) {
  const __m512i low = _mm512_set1_epi8(15);
  if (!k.nibbles) return _mm512_load_si512(w->codes[8 * run + 4 * half + word][side]);
  __m512i two = _mm512_load_si512(w->codes[4 * run + word][side]);
  return _mm512_and_si512(half ? _mm512_srli_epi16(two, 4) : two, low);
}

/* As turn_lines(), of numbers that are kept in `type`. */
INLINE void turn_lines_as(const struct plan *p, const struct rows *r, const enum scale_type type,
                          const char *lines, long tile, float to[TILE / 16][SIDES][LANE_ROWS]) {
  for (long side = 0; side < SIDES; side++)
    for (long g = 0; g == 0 || g < p->groups; g += 16) {
      __m512i words[16];
#pragma GCC unroll 16
      for (int i = 0; i < LANE_ROWS; i++) {
        const char *line = line_at(p->m, INT4, lines, row_of(r, LANE_ROWS * side + i));
        words[i] = _mm512_castps_si512(numbers_from(p->m, type, line, tile * p->groups + g));
      }
      transpose(words);
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) _mm512_store_si512(to[g + i][side], words[i]);
    }
}

/* The numbers of a tile's groups, from lines of scales or zeros. */
APART void turn_lines(const struct plan *p, const struct rows *r, const char *lines, long tile,
                      float to[TILE / 16][SIDES][LANE_ROWS]) {
  switch ((enum scale_type)p->m->scale_type) {
    case SCALES_F32: turn_lines_as(p, r, SCALES_F32, lines, tile, to); break;
    case SCALES_F16: turn_lines_as(p, r, SCALES_F16, lines, tile, to); break;
    case SCALES_BF16: turn_lines_as(p, r, SCALES_BF16, lines, tile, to); break;
    case SCALES_TWO_LEVEL: turn_lines_as(p, r, SCALES_TWO_LEVEL, lines, tile, to); break;
  }
}

/* Fetches some of the rows behind a panel, and of their scales and zeros, in the order of memory. */
INLINE void fetch_next(struct rows *r, const long bytes, const struct kind k) {
  fetch_later(r->next, bytes);
  r->next += bytes;
  for (r->line_due += r->line_share; r->line_due >= 64; r->line_due -= 64, r->next_line += 64) {
    _mm_prefetch(r->next_line, _MM_HINT_T1);
    if (k.zeros) _mm_prefetch(r->next_line + (r->m->behind - r->m->scales), _MM_HINT_T1);
  }
}

INLINE void turn(const struct plan *p, const struct rows *r, long tile, const struct kind k,
                 struct panel *to) {
  if (k.nibbles) turn_nibbles(r, tile, to);
  else turn_bytes(r, tile, to);
  if (k.scaling != LATE) turn_lines(p, r, p->m->scales, tile, to->scales);
  if (k.zeros) turn_lines(p, r, p->m->behind, tile, to->zeros);
}

#endif
