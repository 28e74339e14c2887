/*
 * Products in integers of bytes and few tokens: a row of W passes them as memory gives it, each tile
 * turned in registers so that a lane is a run.
 */
#ifndef MILLRACE_INTEGER_ROWS_H
#define MILLRACE_INTEGER_ROWS_H

#include "integer_runs.h"
#include "transposed.h"

/* Rows whose tiles are in registers together. */
#define PAIR 2

/*
 * Tiles of a row before its runs, and those of its neighbours, are added up: all of them, in rows of
 * up to 16,384 columns, since weights pass as memory gives them as long as rows pass whole.
 */
#define SPAN_TILES 32

/*
 * Bytes of weights, and rows of scales, that are fetched ahead, into the L2 cache: half as many
 * arrive in time where they are to go into the L1 cache, which the sums of runs go through.
 */
#define AHEAD 8192
#define ROWS_AHEAD 8

/* A row's tile of weights. */
struct tile {
  __m512i codes[VECTORS];
  struct halves scales;
  struct halves zeros;
};

/* The numbers of a tile's lanes from those of a row's groups. */
INLINE struct halves of_lanes(const struct plan *p, const char *line, long tile,
                              const struct kind k) {
  long first = tile * p->groups;
  enum scale_type type = (enum scale_type)p->m->scale_type;
  __m512 low = numbers_from(p->m, type, line, first);
  if (k.scaling != HALVES) {
    __m512i groups = _mm512_srli_epi32(run_of_lane(), p->group_runs);
    return (struct halves){_mm512_permutexvar_ps(groups, low), all(0)};
  }
  __m512 high = numbers_from(p->m, type, line, first + 16);
  __m512i even = _mm512_slli_epi32(run_of_lane(), 1);
  __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
  return (struct halves){_mm512_permutex2var_ps(low, even, high),
                         _mm512_permutex2var_ps(low, odd, high)};
}

INLINE void read_tile(const struct plan *p, long row, long tile, const int whole,
                      const struct kind k, struct tile *t) {
  const struct matrix *m = p->m;
  const char *numbers = m->numbers + row * m->row_bytes;
  long done = tile * TILE;
  tile_of_bytes(numbers + done, whole ? TILE : m->columns - done, t->codes);
#pragma GCC unroll 8
  for (int i = 0; i < VECTORS; i++)
    t->codes[i] = _mm512_xor_si512(t->codes[i], _mm512_set1_epi8(-128));
  if (k.scaling != LATE)
    t->scales = of_lanes(p, line_at(m, INT4, m->scales, row), tile, k);
  if (k.zeros) t->zeros = of_lanes(p, line_at(m, INT4, m->behind, row), tile, k);
}

/* The first or the second 16 columns of a tile's runs times those of a token, as integers. */
INLINE __m512 product_of(const struct tile *w, const struct activations *x, const int half,
                         const enum excess excess) {
  __m512i sum =
      excess == NONE ? _mm512_setzero_si512() : _mm512_loadu_si512(x->starts[excess][half]);
#pragma GCC unroll 4
  for (int i = 4 * half; i < 4 * half + 4; i++)
    sum = _mm512_dpbusd_epi32(sum, w->codes[i], _mm512_loadu_si512(x->codes[i]));
  return _mm512_cvtepi32_ps(sum);
}

/* What a tile's runs add to a token's output. */
INLINE __m512 values_of(const struct tile *w, const struct activations *x, const struct kind k) {
  const enum excess excess = excess_of(k);
  struct halves products = {product_of(w, x, 0, excess), product_of(w, x, 1, excess)};
  struct halves scales = {load(x->scales[0]), load(x->scales[1])};
  __m512 value = value_of(products, scales, w->scales, k);
  if (!k.zeros) return value;
  struct halves totals = {load(x->totals[0]), load(x->totals[1])};
  return with_zeros(value, totals, w->zeros, k);
}

/* Adds the runs of a tile of 16 rows in their order. */
INLINE __m512 added(__m512 sums, const __m512 *values) {
  __m512i lanes[BAND];
#pragma GCC unroll 16
  for (int r = 0; r < BAND; r++) lanes[r] = _mm512_castps_si512(values[r]);
  transpose(lanes);
#pragma GCC unroll 16
  for (int run = 0; run < 16; run++)
    sums = add(sums, _mm512_castsi512_ps(lanes[lane_of_run(run)]));
  return sums;
}

/* What runs of some tiles of 16 rows add to some tokens' outputs. */
struct values {
  __m512 of[FEW][SPAN_TILES][BAND];
};

/* Fetches the scales and zeros of a row that follows. */
INLINE void fetch_lines(const struct matrix *m, long row, const struct kind k) {
  fetch_later(m->scales + row * m->line_bytes, m->line_bytes);
  if (k.zeros) fetch_later(m->behind + row * m->line_bytes, m->line_bytes);
}

/* Tiles first to end - 1 of two rows times some tokens. */
INLINE void rows_times(const struct plan *p, const struct operands *o, const long *rows, long first,
                       long end, const int tokens, const struct kind k, struct values *values,
                       long lane) {
  const struct activations *x = o->x;
  const struct matrix *m = p->m;
  for (long tile = first; tile < end; tile++) {
    struct tile w[PAIR];
#pragma GCC unroll 2
    for (int r = 0; r < PAIR; r++) {
      fetch_later(m->numbers + rows[r] * m->row_bytes + tile * TILE + AHEAD, TILE);
      if ((tile + 1) * TILE <= m->columns) read_tile(p, rows[r], tile, 1, k, w + r);
      else read_tile(p, rows[r], tile, 0, k, w + r);
    }
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
      for (int r = 0; r < PAIR; r++)
        values->of[t][tile - first][lane + r] = values_of(w + r, x + t * o->x_stride + tile, k);
  }
}

INLINE void few_tokens(const struct plan *p, const struct operands *o, long first_row, long end_row,
                       const int tokens, const struct kind k) {
  struct values values;
  for (long row = first_row; row < end_row; row += BAND) {
    __m512 sums[FEW] = {all(0), all(0)};
    long rows = end_row - row < BAND ? end_row - row : BAND;
    for (long first = 0; first < o->x_stride; first += SPAN_TILES) {
      long end = first + SPAN_TILES < o->x_stride ? first + SPAN_TILES : o->x_stride;
      for (long r = 0; r < rows; r += PAIR) { /* an odd row is its own neighbour */
        long two[PAIR] = {row + r, row + (r + 1 < rows ? r + 1 : r)};
        if (k.scaling != LATE && first == 0)
          for (int i = 0; i < PAIR; i++) fetch_lines(p->m, two[i] + ROWS_AHEAD, k);
        rows_times(p, o, two, first, end, tokens, k, &values, r);
      }
      for (long tile = first; tile < end; tile++)
#pragma GCC unroll 2
        for (int t = 0; t < tokens; t++) sums[t] = added(sums[t], values.of[t][tile - first]);
    }
    struct target to = target_of(late_in(p->m, k), o, row, row, end_row);
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) finish(&to, t, sums[t]);
  }
}

#endif
