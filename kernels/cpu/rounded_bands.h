/*
 * Bands of four-bit codes times activations in BF16, by vdpbf16ps.
 *
 * A code c becomes the number 128 + c, which is one OR away: BF16 has 128 to 255 without a gap. A run
 * of 32 columns is summed and then scaled, in F32: the sum begins with -136 times that of the run's
 * activations, so that codes count from 8, whether zeros follow or not. Codes of CODE4 are looked up.
 */
#ifndef MILLRACE_ROUNDED_BANDS_H
#define MILLRACE_ROUNDED_BANDS_H

#include "banded_rows.h"
#include "target.h"

/* Up to so many tokens pass one band at a time, as memory gives most so. */
#define FEW_TOKENS 2

/* Runs of a band that they pass together. */
#define RUNS_TOGETHER 4

/* What functions are made for. */
struct band_kind {
  enum format format;
  int halves; /* whether the halves of a run have scales of their own */
  int bands;  /* that pass together */
};

/* One band or two of a matrix on their way to the outputs of some tokens. */
struct bands {
  const struct matrix *m;
  const struct operands *o;
  __m512i table;    /* what the codes of CODE4 stand for, twice in 32 places */
  long rows[SIDES]; /* the first of each */
  struct target to[SIDES];
  struct following next;
};

/* A tile of them. */
struct band_tiles {
  const __m512i *words[SIDES];
  struct tile_lines lines;
  struct spread spread[SIDES];
};

/* Sums of some tokens. */
typedef lanes band_sums[BAND_TOKENS][SIDES];

INLINE __m512i codes_table(const struct matrix *m, const struct band_kind k) {
  if (k.format != CODE4) return _mm512_setzero_si512();
  lanes numbers = load((const float *)m->behind);
  return (__m512i)rounded_pair(numbers, numbers);
}

/* Nibble n of both halves of words, as numbers. */
INLINE __m512bh numbers_of(__m512i words, const int n, __m512i table, const struct band_kind k) {
  __m512i codes = n ? _mm512_srli_epi32(words, 4 * (unsigned)n) : words;
  if (k.format == CODE4) return (__m512bh)_mm512_permutexvar_epi16(codes, table);
  return (__m512bh)_mm512_ternarylogic_epi32(codes, _mm512_set1_epi32(0x000F000F),
                                             _mm512_set1_epi32(0x43004300), 0xEA); /* (a & b) | c */
}

WIDEN_WITH(NO_ZEROS)
WIDEN_WITH(CENTRED_ZEROS)

INLINE void take_tiles(const struct bands *b, long tile, const struct band_kind k,
                       struct band_tiles *to) {
#pragma GCC unroll 2
  for (int side = 0; side < k.bands; side++) {
    to->words[side] = words_of(b->m, b->rows[side], tile, to->spread + side);
    if (has_zeros(k.format)) widen_with_CENTRED_ZEROS(b->m, b->rows[side], tile, side, &to->lines);
    else widen_with_NO_ZEROS(b->m, b->rows[side], tile, side, &to->lines);
  }
}

/* Parts of which a run's sums are made: two where its halves are scaled apart. */
INLINE int parts_of(const struct band_kind k) { return k.halves ? 2 : 1; }

INLINE enum beginning beginning_in(const int part, const struct band_kind k) {
  return !k.halves ? BOTH : part ? SECOND : FIRST;
}

INLINE long group_of_part(const struct matrix *m, long run, const int part,
                          const struct band_kind k) {
  return k.halves ? 2 * run + part : run >> (m->group_shift - 5);
}

/* Runs that share a scale. */
INLINE long runs_of_group(const struct matrix *m, const struct band_kind k) {
  return k.halves ? 1 : 1L << (m->group_shift - 5);
}

/*
 * Sums of some runs of a tile, or of one of their halves, for some tokens, not scaled: codes become numbers as they are
 * met, which the processor does beside multiplying. Runs, sides and tokens have sums of their own that
 * grow side by side: one alone would wait for itself.
 */
INLINE void sum_part(const struct bands *b, const struct band_tiles *w,
                     const struct band_rows *x, long run, const int runs, const int part,
                     const int tokens, const struct band_kind k, band_sums *parts) {
#pragma GCC unroll 4
  for (int r = 0; r < runs; r++)
#pragma GCC unroll 6
    for (int t = 0; t < tokens; t++)
      parts[r][t][0] = parts[r][t][1] =
          all(k.format == CODE4 ? 0 : beginning_at(x, t, run + r, beginning_in(part, k)));
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
    for (int r = 0; r < runs; r++) {
      __m512i words[SIDES];
#pragma GCC unroll 2
      for (int side = 0; side < k.bands; side++) {
        words[side] = _mm512_loadu_si512(w->words[side] + 4 * (run + r) + i);
        __asm__("" : "+v"(words[side])); /* in a register: GCC 12 would read it four times */
      }
#pragma GCC unroll 4
      for (int n = part; n < 4; n += parts_of(k)) {
        __m512bh numbers[SIDES];
#pragma GCC unroll 2
        for (int side = 0; side < k.bands; side++)
          numbers[side] = numbers_of(words[side], n, b->table, k);
#pragma GCC unroll 6
        for (int t = 0; t < tokens; t++) {
          __m512bh pair = pair_at(x, t, run + r, 4 * i + n);
#pragma GCC unroll 2
          for (int side = 0; side < k.bands; side++)
            parts[r][t][side] = _mm512_dpbf16_ps(parts[r][t][side], numbers[side], pair);
        }
      }
    }
}

/* Adds a part of a run, scaled. */
INLINE void add_part(const struct bands *b, const struct band_tiles *w, long run,
                     const int part, const int tokens, const struct band_kind k,
                     const band_sums parts, band_sums sums) {
  const float(*scales)[BAND] = w->lines.scales[group_of_part(b->m, run, part, k)];
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++)
      sums[t][side] = fma_(parts[t][side], load(scales[side]), sums[t][side]);
}

/* Runs of a tile times some tokens; they are added in their order. */
INLINE void add_runs(struct bands *b, const struct band_tiles *w, const struct band_rows *x,
                     long run, const int runs, const int fetching, const int tokens,
                     const struct band_kind k, band_sums sums) {
  band_sums parts[2][RUNS_TOGETHER];
  if (fetching)
    fetch_runs(b->m, &b->next, k.bands * BAND * 16 * runs, runs, has_zeros(k.format));
#pragma GCC unroll 2
  for (int part = 0; part < parts_of(k); part++) {
    sum_part(b, w, x, run, runs, part, tokens, k, parts[part]);
    if (runs == 1) add_part(b, w, run, part, tokens, k, parts[part][0], sums);
  }
#pragma GCC unroll 4
  for (int r = 0; r < runs && runs > 1; r++)
#pragma GCC unroll 2
    for (int part = 0; part < parts_of(k); part++)
      add_part(b, w, run + r, part, tokens, k, parts[part][r], sums);
}

/* Adds what zeros make of a tile, where there are any: from beginnings, as codes count from 8. */
INLINE void add_zeros(const struct bands *b, const struct band_tiles *w,
                      const struct band_rows *x, long runs, const int tokens,
                      const struct band_kind k, band_sums sums) {
  if (!has_zeros(k.format)) return;
  for (long run = 0, together = runs_of_group(b->m, k); run < runs; run += together)
#pragma GCC unroll 2
    for (int part = 0; part < parts_of(k); part++) {
      long group = group_of_part(b->m, run, part, k);
#pragma GCC unroll 6
      for (int t = 0; t < tokens; t++) {
        float beginning = 0;
        for (long r = run; r < run + together && r < runs; r++)
          beginning += beginning_at(x, t, r, beginning_in(part, k));
#pragma GCC unroll 2
        for (int side = 0; side < k.bands; side++)
          sums[t][side] = fma_(all(beginning), load(w->lines.zeros[group][side]), sums[t][side]);
      }
    }
}

/* A tile times some tokens, whose sums are kept from tile to tile. */
INLINE void multiply_tile(struct bands *b, const struct band_tiles *w, long tile, long token,
                          const int tokens, const int fetching, const struct band_kind k,
                          lanes (*kept)[SIDES]) {
  const int together = k.bands == 1 ? RUNS_TOGETHER : 1;
  struct band_rows x = band_rows_of(b->o, b->m->columns, token, tile, tokens);
  band_sums sums;
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++) sums[t][side] = tile ? kept[t][side] : all(0);
  long run = 0, runs = runs_in(b->m, tile);
  for (; run + together <= runs; run += together)
    add_runs(b, w, &x, run, together, fetching, tokens, k, sums);
  for (; run < runs; run++) add_runs(b, w, &x, run, 1, fetching, tokens, k, sums);
  add_zeros(b, w, &x, runs, tokens, k, sums);
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int side = 0; side < k.bands; side++) {
      if ((tile + 1) * TILE >= b->m->columns) finish(b->to + side, token + t, sums[t][side]);
      else kept[t][side] = sums[t][side];
    }
}

/* As multiply_tile(), of as many tokens as there are. */
INLINE void multiply_some(struct bands *b, const struct band_tiles *w, long tile, long token,
                          long tokens, int fetching, const struct band_kind k,
                          lanes (*kept)[SIDES]) {
  if (k.bands == 1) {
    if (tokens == 1) multiply_tile(b, w, tile, token, 1, fetching, k, kept);
    else multiply_tile(b, w, tile, token, FEW_TOKENS, fetching, k, kept);
    return;
  }
  switch (tokens) {
    case 3: multiply_tile(b, w, tile, token, 3, fetching, k, kept); break;
    case 4: multiply_tile(b, w, tile, token, 4, fetching, k, kept); break;
    case 5: multiply_tile(b, w, tile, token, 5, fetching, k, kept); break;
    default: multiply_tile(b, w, tile, token, BAND_TOKENS, fetching, k, kept); break;
  }
}

/* Bands times tokens `token` to `end` - 1, in passes of about as many. */
INLINE void multiply_bands(struct bands *b, long token, long end, const struct band_kind k) {
  struct band_tiles w;
  lanes kept[CHUNK][SIDES];
  for (long tile = 0; tile * TILE < b->m->columns; tile++) {
    take_tiles(b, tile, k, &w);
    for (long t = token, size; t < end; t += size) {
      size = part_of(end - t, BAND_TOKENS);
      multiply_some(b, &w, tile, t, size, t == 0, k, kept + t - token);
    }
  }
}

/* Rows first_row to end_row - 1 times all tokens. */
INLINE void multiply_rows(const struct matrix *m, const struct operands *o, long first_row,
                          long end_row, long tokens, const struct band_kind k) {
  for (long token = 0, end; token < tokens; token = end) {
    end = token + part_of(tokens - token, CHUNK);
    for (long row = first_row / BAND * BAND; row < end_row; row += k.bands * BAND) {
      struct bands b = {m, o, codes_table(m, k), {band_of(m, row), band_of(m, row + BAND)},
                            {target_of(0, o, row, first_row, end_row),
                             target_of(0, o, row + BAND, first_row, end_row)},
                            following(m, row, k.bands)};
      multiply_bands(&b, token, end, k);
    }
  }
}

/* As multiply_rows(), of bands that pass as suits so many tokens. */
INLINE void pass_rows(const struct matrix *m, const struct operands *o, long first_row,
                      long end_row, long tokens, enum format format, const int halves) {
  if (tokens <= FEW_TOKENS)
    multiply_rows(m, o, first_row, end_row, tokens, (struct band_kind){format, halves, 1});
  else multiply_rows(m, o, first_row, end_row, tokens, (struct band_kind){format, halves, SIDES});
}

#define BANDS_OF(format)                                                                           \
  APART void bands_of_##format(const struct matrix *m, const struct operands *o, long first_row,   \
                               long end_row, long tokens) {                                        \
    if (m->group_columns == 16) pass_rows(m, o, first_row, end_row, tokens, format, 1);            \
    else pass_rows(m, o, first_row, end_row, tokens, format, 0);                                   \
  }

BANDS_OF(INT4)
BANDS_OF(INT4_ZEROS)
BANDS_OF(CODE4)

#endif
