/* Rows whose weights are decoded as they are met, times one token or two. */
#ifndef MILLRACE_FEW_H
#define MILLRACE_FEW_H

#include "slice.h"

/* So few tokens are multiplied with weights as they are decoded. */
#define DIRECT_TOKENS 2

/* What a block of a row adds, times one token or two. */
INLINE void add_block(const __m512bh *w, const uint16_t *x, long x_stride, lanes *sums,
                      const int tokens) {
#pragma GCC unroll 4
  for (int v = 0; v < VECTORS; v++)
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) {
      __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * x_stride + v * RUN);
      sums[t] = _mm512_dpbf16_ps(sums[t], w[v], column);
    }
}

/*
 * What is fetched next of rows that follow: their weights lie one after the other, and so do their
 * scales. In that order memory gives more than it would column by column.
 */
struct ahead {
  const char *weights;
  const char *scales;
  long share; /* bytes of scales a block; 0 where they are too few to be fetched */
};

/* Some rows of a matrix on their way from column to column. */
struct walk {
  struct line lines[ROWS];
  struct widened widened[2 * ROWS]; /* scales, then zeros */
  lanes sums[ROWS][DIRECT_TOKENS];
  struct ahead ahead;
  struct byte_table table; /* unscaled_table() */
};

INLINE long share_of(const struct matrix *m) {
  if (m->groups == 1 || m->group_rows != 1) return 0;
  return ROWS * m->line_bytes / (m->columns / BLOCK + 1) + 1;
}

/* Fetches as much as a block of all rows has. */
INLINE void fetch(const struct matrix *m, enum format format, struct ahead *a) {
  if (a->share) {
    _mm_prefetch(a->scales, _MM_HINT_T0);
    if (has_zeros(format)) _mm_prefetch(a->scales + (m->behind - m->scales), _MM_HINT_T0);
    a->scales += a->share;
  }
  long bytes = ROWS * bytes_of_columns(format, BLOCK);
  fetch_later(a->weights, bytes);
  a->weights += bytes;
}

/* The scales of a block's rows as F32; and of their scales and zeros. */
APART void widen_scales(const struct matrix *m, const char *const *lines, struct groups g,
                        struct widened *out) {
  widen_lines(m, lines, ROWS, g, out);
}

APART void widen_both(const struct matrix *m, const char *const *lines, struct groups g,
                      struct widened *out) {
  widen_lines(m, lines, 2 * ROWS, g, out);
}

/* The lines of a block's rows from some column on, where a span begins. */
INLINE void take_lines(const struct slice *s, enum format format, long done, long column,
                       struct walk *walk) {
  const struct matrix *m = s->m;
  struct widened *scales = walk->widened, *zeros = walk->widened + ROWS;
  const char *lines[2 * ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    long row = row_of(s, done, r);
    lines[r] = line_at(m, format, m->scales, row);
    lines[ROWS + r] = line_at(m, format, m->behind, row);
    walk->lines[r] = line_in(m, format, row, column, scales + r, zeros + r);
  }
  if (m->scale_type == SCALES_F32) return;
  struct groups g = groups_from(m, column);
  if (has_zeros(format)) widen_both(m, lines, g, walk->widened);
  else widen_scales(m, lines, g, walk->widened);
}

/* The blocks of some rows from column `from` on, as long as their lines are good. */
INLINE void whole_blocks(const struct slice *s, enum format format, const int groups,
                         struct walk *walk, long from, long end, const int tokens) {
  const struct matrix *m = s->m;
  const uint16_t *x = (const uint16_t *)s->o->x + from;
  long width = bytes_of_columns(format, BLOCK), stride = s->o->x_stride;
  const char *p[ROWS];
  const number *by[ROWS], *less[ROWS];
  lanes sums[ROWS][DIRECT_TOKENS];
  struct ahead ahead = walk->ahead;
  struct byte_table table = walk->table;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    const struct line *l = walk->lines + r;
    p[r] = l->numbers + bytes_of_columns(format, from);
    by[r] = l->scales + group_at(m, format, l, from, groups);
    less[r] = l->zeros + group_at(m, format, l, from, groups);
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) sums[r][t] = walk->sums[r][t];
  }
  for (; from + BLOCK <= end; from += BLOCK, x += BLOCK) {
    fetch(m, format, &ahead);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      __m512bh w[VECTORS];
      if (has_scaled_tables(format, groups) && (r == 0 || by[r] != by[r - 1]))
        table = table_times(format, *by[r]); /* rows share scales */
      decoded_block(m, format, walk->lines + r, p[r], by[r], less[r], &table, from, groups, w);
      add_block(w, x, stride, sums[r], tokens);
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      p[r] += width;
      by[r] += groups;
      less[r] += groups;
    }
  }
  walk->ahead = ahead;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) walk->sums[r][t] = sums[r][t];
}

/* One token or two times rows whose weights are decoded as they are met. */
INLINE void direct(const struct slice *s, enum format format, const int groups, const int tokens) {
  const struct matrix *m = s->m;
  const uint16_t *x = (const uint16_t *)s->o->x;
  long span = span_of(m), whole = m->columns / BLOCK * BLOCK;
  long next = rows_ahead(m), share = share_of(m);
  struct walk walk;
  walk.table = unscaled_table(format, groups);
  for (long done = 0; done < s->rows; done += ROWS) {
    long coming = s->row + done + next;
    /* scales are met before any weights of their rows: they are fetched twice as early */
    walk.ahead = (struct ahead){m->numbers + coming * m->row_bytes,
                                line_at(m, format, m->scales, coming + next), share};
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
      for (int t = 0; t < tokens; t++) walk.sums[r][t] = all(0);
    for (long from = 0; from < m->columns; from += span) {
      take_lines(s, format, done, from, &walk);
      long end = m->columns - from < span ? m->columns : from + span;
      whole_blocks(s, format, groups, &walk, from, end, tokens);
    }
    if (whole < m->columns) {
      fetch(m, format, &walk.ahead);
      for (int r = 0; r < ROWS; r++) {
        __m512bh w[VECTORS];
        block_at(m, format, walk.lines + r, &walk.table, whole, groups, w);
        add_block(w, x + whole, s->o->x_stride, walk.sums[r], tokens);
      }
    }
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++)
      put(s, done, t,
          sums_of(walk.sums[0][t], walk.sums[1][t], walk.sums[2][t], walk.sums[3][t]));
  }
}

#endif
