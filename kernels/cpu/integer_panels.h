/*
 * Products in integers of many tokens, and of any number with four-bit codes: a panel of W meets all of
 * them, a few at a time.
 */
#ifndef MILLRACE_INTEGER_PANELS_H
#define MILLRACE_INTEGER_PANELS_H

#include "panel.h"

/* Tokens whose sums are in registers together. */
#define TOKENS 6

/* 16 columns of a panel times some tokens, as integers. */
INLINE void products(const struct panel *w, const struct activations *x, long x_stride, long run,
                     const int half, const int tokens, const struct kind k,
                     __m512 out[TOKENS][SIDES]) {
  const enum excess excess = excess_of(k);
  long lane = lane_of_run(run);
  __m512i sums[TOKENS][SIDES];
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
    sums[t][0] = sums[t][1] =
        _mm512_set1_epi32(excess == NONE ? 0 : x[t * x_stride].starts[excess][half][lane]);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m512i codes[SIDES];
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++) codes[side] = codes_of(w, run, half, i, side, k);
#pragma GCC unroll 6
    for (int t = 0; t < tokens; t++) {
      int32_t four;
      __builtin_memcpy(&four, x[t * x_stride].codes[4 * half + i] + 4 * lane, sizeof four);
      __m512i columns = _mm512_set1_epi32(four);
#pragma GCC unroll 2
      for (int side = 0; side < k.bands; side++)
        sums[t][side] = _mm512_dpbusd_epi32(sums[t][side], codes[side], columns);
    }
  }
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++) out[t][side] = _mm512_cvtepi32_ps(sums[t][side]);
}

/* The numbers of a run, of its halves where they differ. */
INLINE struct halves of_run(const struct plan *p, float numbers[TILE / 16][SIDES][BAND],
                            long run, int side, const struct kind k) {
  if (k.scaling == HALVES)
    return (struct halves){load(numbers[2 * run][side]), load(numbers[2 * run + 1][side])};
  return (struct halves){load(numbers[run >> p->group_runs][side]), all(0)};
}

/* A run of a panel times some tokens, added to their sums. */
INLINE void add_run(const struct plan *p, struct panel *w, const struct activations *x,
                    long x_stride, long run, const int tokens, const struct kind k,
                    __m512 sums[TOKENS][SIDES]) {
  __m512 first[TOKENS][SIDES], second[TOKENS][SIDES];
  long lane = lane_of_run(run);
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++) /* a line of those that are next */
    _mm_prefetch((const char *)(x + (t + tokens) * x_stride) + 64 * run, _MM_HINT_T0);
  products(w, x, x_stride, run, 0, tokens, k, first);
  products(w, x, x_stride, run, 1, tokens, k, second);
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++) {
    const struct activations *at = x + t * x_stride;
    struct halves scales = {all(at->scales[0][lane]), all(at->scales[1][lane])};
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++) {
      struct halves by = {all(0), all(0)};
      if (k.scaling != LATE) by = of_run(p, w->lines.scales, run, side, k);
      struct halves both = {first[t][side], second[t][side]};
      __m512 value = value_of(both, scales, by, k);
      if (k.zeros) {
        struct halves totals = {all(at->totals[0][lane]), all(at->totals[1][lane])};
        value = with_zeros(value, totals, of_run(p, w->lines.zeros, run, side, k), k);
      }
      sums[t][side] = add(sums[t][side], value);
    }
  }
}

/* A panel times some tokens, whose sums are kept from tile to tile. */
INLINE void multiply(const struct plan *p, struct panel *w, const struct operands *o, long tile,
                     long token, const struct target *to, struct following *fetched,
                     const int tokens, const struct kind k, lanes (*kept)[SIDES]) {
  const struct activations *x = (const struct activations *)o->x + token * o->x_stride + tile;
  __m512 sums[TOKENS][SIDES];
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++)
      sums[t][side] = tile ? kept[t][side] : all(0);
  long runs = runs_in(p->m, tile);
  for (long run = 0; run < runs; run++) {
    if (fetched) fetch_runs(p->m, fetched, k.bands * BAND * (32 >> k.nibbles), 1, k.zeros);
    add_run(p, w, x, o->x_stride, run, tokens, k, sums);
  }
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++) {
      if (tile + 1 == o->x_stride) finish(to + side, token + t, sums[t][side]);
      else kept[t][side] = sums[t][side];
    }
}

/*
 * A panel times tokens `token` to `end` - 1, in passes of about as many. The first meets it while what
 * follows is fetched.
 */
INLINE void panel_times(const struct plan *p, struct panel *w, const struct operands *o, long tile,
                        long token, long end, const struct target *to, struct following *next,
                        const struct kind k, lanes (*kept)[SIDES]) {
  struct following *fetched = token ? 0 : next;
  if (k.bands == 1) {
    if (end == 1) multiply(p, w, o, tile, 0, to, fetched, 1, k, kept);
    else multiply(p, w, o, tile, 0, to, fetched, FEW, k, kept);
    return;
  }
  for (long size; token < end; token += size, kept += size, fetched = 0) {
    size = part_of(end - token, TOKENS);
    switch (size) {
      case 3: multiply(p, w, o, tile, token, to, fetched, 3, k, kept); break;
      case 4: multiply(p, w, o, tile, token, to, fetched, 4, k, kept); break;
      case 5: multiply(p, w, o, tile, token, to, fetched, 5, k, kept); break;
      default: multiply(p, w, o, tile, token, to, fetched, TOKENS, k, kept); break;
    }
  }
}

INLINE void in_panels(const struct plan *p, const struct operands *o, long first_row, long end_row,
                      long tokens, const struct kind k) {
  const struct matrix *late = late_in(p->m, k);
  long begin = k.nibbles ? first_row / BAND * BAND : first_row;
  struct panel panel;
  lanes kept[CHUNK][SIDES];
  for (long token = 0, end; token < tokens; token = end) {
    end = token + part_of(tokens - token, CHUNK);
    for (long row = begin; row < end_row; row += k.bands * BAND) {
      struct rows r = {p->m, row, end_row - row < PANEL_ROWS ? end_row - row : PANEL_ROWS};
      struct following next = following(p->m, row, k.bands);
      struct target to[SIDES] = {target_of(late, o, row, first_row, end_row),
                                 target_of(late, o, row + BAND, first_row, end_row)};
      for (long tile = 0; tile < o->x_stride; tile++) {
        turn(p, &r, tile, k, &panel);
        panel_times(p, &panel, o, tile, token, end, to, &next, k, kept);
      }
    }
  }
}

#endif
