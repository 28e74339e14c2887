/* Rows of BF16 times any number of tokens, a block of sums at a time. */
#ifndef MILLRACE_BLOCKS_H
#define MILLRACE_BLOCKS_H

#include "slice.h"

/*
 * Columns of a panel, at most: those of a block's tokens and of its rows stay in the L1 cache; and
 * rows that pass a panel before the next.
 */
#define PANEL 2048
#define PANEL_ROWS 64

/*
 * From so many tokens on, as many rows as are at most CACHED_BYTES long pass before the next, and stay
 * in the L1 cache; where these are too few, rows are packed: of ROWS rows, the runs lie beside each
 * other, so that the processor fetches one stream from the L2 cache, not ROWS.
 */
#define MANY_TOKENS 96
#define CACHED_BYTES (20 << 10)

/* From so many tokens on, the rows of BF16 that follow a slice are fetched while all its tokens pass. */
#define SPREAD_TOKENS (TOKENS + 1)

/* Where a row's runs begin. */
INLINE const char *runs_of(const struct slice *s, long done, long r, const int packed) {
  const struct matrix *m = s->m;
  return packed ? m->numbers + done * m->row_bytes + r * 2 * RUN
                : m->numbers + row_of(s, done, r) * m->row_bytes;
}

INLINE lanes pairs_of(lanes a, lanes b) {
  return add(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}

/* As sums_of(), of tokens t and t + 1: in the lowest four lanes, and in four from lane 8 on. */
INLINE lanes two_sums_of(lanes sums[ROWS][TOKENS], const int t) {
  lanes halves[ROWS];
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; r++) {
    lanes a = sums[r][t], b = sums[r][t + 1];
    halves[r] = add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  }
  lanes fours = pairs_of(pairs_of(halves[0], halves[1]), pairs_of(halves[2], halves[3]));
  return add(fours, _mm512_shuffle_f32x4(fours, fours, 0xb1));
}

/* Sums of up to ROWS rows, from one panel to the next. */
struct kept {
  lanes sums[ROWS][TOKENS];
};

/*
 * Columns of up to ROWS rows of BF16 times `tokens`, which is a constant where this is inlined, as
 * `packed` is: from `from`, a whole number of runs, to `end`, which is another or the last column.
 * Fetches rows that lie `ahead` further; 0: none. And of the slice that follows a little with each
 * run, so that memory is read all the time; of packed rows with each block, as a run less waits.
 */
INLINE void block(struct slice *s, long done, long token, const int tokens, long ahead,
                  const int packed, long from, long end, struct kept *kept) {
  const struct matrix *m = s->m;
  lanes sums[ROWS][TOKENS];
  const char *p[ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    p[r] = runs_of(s, done, r, packed);
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = from ? kept->sums[r][t] : all(0);
  }
  long stride = s->o->x_stride, k = from, whole = end / RUN * RUN, width = packed ? 2 * ROWS : 2;
  const uint16_t *x = (const uint16_t *)s->o->x + token * stride;
  const char *next = m->numbers + (s->row + done + ahead) * m->row_bytes, *coming = s->next;
  long part = packed ? 0 : s->part * RUN / m->columns;
#pragma GCC unroll 2
  for (; k < whole; k += RUN) {
    __m512bh w[ROWS];
    if (part) {
      fetch_later(coming, part);
      coming += part;
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      if (ahead) _mm_prefetch(next + 2 * (ROWS * k + r * RUN), _MM_HINT_T1);
      w[r] = (__m512bh)_mm512_loadu_si512(p[r] + width * k);
    }
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) {
      __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w[r], column);
    }
  }
  s->next = coming;
  if (end < m->columns) {
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) kept->sums[r][t] = sums[r][t];
    return;
  }
  if (k < end) {
    __mmask32 mask = left(end - k);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      __m512bh w = (__m512bh)_mm512_maskz_loadu_epi16(mask, p[r] + width * k);
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) {
        __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
        sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w, column);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t + 1 < tokens; t += 2) {
    lanes both = two_sums_of(sums, t);
    put(s, done, token + t, _mm512_castps512_ps128(both));
    put(s, done, token + t + 1, _mm512_extractf32x4_ps(both, 2));
  }
  if (tokens % 2) {
    const int t = tokens - 1;
    put(s, done, token + t, sums_of(sums[0][t], sums[1][t], sums[2][t], sums[3][t]));
  }
}

/* Fetches a part of the slice that follows. */
INLINE void fetch_next(struct slice *s) {
  fetch_later(s->next, s->part);
  s->next += s->part;
}

/* Some rows, a panel of columns after the other. */
INLINE void in_panels(struct slice *s, long token, const int tokens, long ahead,
                      const int packed, long panel) {
  struct kept kept[PANEL_ROWS / ROWS];
  for (long first = 0; first < s->rows; first += PANEL_ROWS) {
    long rows = s->rows - first < PANEL_ROWS ? s->rows - first : PANEL_ROWS;
    for (long from = 0; from < s->m->columns; from += panel) {
      long end = from + panel < s->m->columns ? from + panel : s->m->columns;
      for (long r = 0; r < rows; r += ROWS) {
        if (packed && !from) fetch_next(s);
        block(s, first + r, token, tokens, ahead, packed, from, end, kept + r / ROWS);
      }
    }
  }
}

INLINE long blocks_of(long tokens) { return (tokens + TOKENS - 1) / TOKENS; }

/* Lets a slice fetch the rows of m that follow it. */
INLINE void fetch_after(struct slice *s, const struct matrix *m, long end_row, long tokens) {
  s->next = m->numbers + end_row * m->row_bytes;
  s->part = s->rows * m->row_bytes / (blocks_of(tokens) * ((s->rows + ROWS - 1) / ROWS));
}

/* The columns of a panel, whole runs; all of them where memory is what a product waits for. */
INLINE long panel_of(long columns, long blocks) {
  if (blocks == 1) return columns;
  long panels = (columns + PANEL - 1) / PANEL;
  return ((columns + panels - 1) / panels + RUN - 1) / RUN * RUN;
}

/* How many rows stay in the L1 cache while many tokens pass; 0: all in the L2 cache. */
INLINE long cached_rows(long columns, long tokens) {
  long rows = CACHED_BYTES / (2 * columns) / ROWS * ROWS;
  return tokens < MANY_TOKENS || rows < 2 * ROWS ? 0 : rows;
}

INLINE int are_packed(long columns, long tokens) {
  return tokens >= MANY_TOKENS && !cached_rows(columns, tokens);
}

/* Rows stay in a cache while tokens pass in blocks of about the same size. */
INLINE void in_blocks(struct slice *s, long tokens, int fetching, const int packed) {
  long blocks = blocks_of(tokens), panel = panel_of(s->m->columns, blocks);
  long token = 0;
  for (long b = 0; b < blocks; b++) {
    long ahead = fetching && b == 0 ? rows_ahead(s->m) : 0;
    long size = (tokens - token + blocks - b - 1) / (blocks - b);
    switch (size) {
      case 1: in_panels(s, token, 1, ahead, packed, panel); break;
      case 2: in_panels(s, token, 2, ahead, packed, panel); break;
      case 3: in_panels(s, token, 3, ahead, packed, panel); break;
      case 4: in_panels(s, token, 4, ahead, packed, panel); break;
      case 5: in_panels(s, token, 5, ahead, packed, panel); break;
      default: in_panels(s, token, 6, ahead, packed, panel); break;
    }
    token += size;
  }
}

/* All tokens times rows that lie one after the other. */
APART void all_tokens(const struct slice *s, long tokens, int fetching) {
  long rows = cached_rows(s->m->columns, tokens);
  struct slice part = *s;
  if (!rows) rows = s->rows;
  for (long first = 0; first < s->rows; first += rows) {
    part.row = s->row + first;
    part.output = s->output + first;
    part.rows = s->rows - first < rows ? s->rows - first : rows;
    in_blocks(&part, tokens, fetching, 0);
  }
}

/* All tokens times packed rows. */
APART void packed_rows(struct slice *s, long tokens) { in_blocks(s, tokens, 0, 1); }

#endif
