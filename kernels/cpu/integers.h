/*
 * What products in integers share: activations as bytes, and tiles of weights beside them.
 *
 * A tile is 512 columns of a row: 16 runs of 32. A vector of codes has four columns of every run in
 * the 32-bit lane of that run, so that integers are summed within a lane until a scale is due: eight
 * vectors a tile, columns 4 v to 4 v + 3 of each run in vector v. Run 4 i + q lies in lane 4 q + i,
 * the order in which four vectors of 16 bytes a run come apart.
 */
#ifndef MILLRACE_INTEGERS_H
#define MILLRACE_INTEGERS_H

#include "bands.h"

#define VECTORS 8

/* What unsigned codes of weights are more than the numbers that are scaled: of INT4 8, of INT8 128. */
enum excess { EIGHT, HIGH_BIT, NONE };

/*
 * 512 activations x: codes from -127 to 127 with a scale for each run's first and second 16 columns,
 * x = code * scale; what the excess of the weights' codes adds to the sums of their products,
 * negated; and the sums of x, negated. Columns behind the last one are 0. The scale of columns that
 * have an infinity or a NaN among them is NaN. Tokens of 2,048 columns do not lie 4 KiB apart, which
 * would have them share sets of the L1 cache.
 */
struct activations {
  int8_t codes[VECTORS][64];
  float scales[2][16];
  int32_t starts[2][2][16]; /* by excess */
  float totals[2][16];
  char apart[64];
};

INLINE long tiles_of(long columns) { return (columns + TILE - 1) / TILE; }

/* The run, of a tile, that lies in each lane. */
INLINE __m512i run_of_lane(void) {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

INLINE long lane_of_run(long run) { return run % 4 * 4 + run / 4; }

/* Of 16 runs of 16 bytes: bytes 4 v to 4 v + 3 of all of them as vector v. */
INLINE void in_lanes(const __m512i *runs, __m512i *v) {
  __m512i ab_low = _mm512_unpacklo_epi32(runs[0], runs[1]);
  __m512i ab_high = _mm512_unpackhi_epi32(runs[0], runs[1]);
  __m512i cd_low = _mm512_unpacklo_epi32(runs[2], runs[3]);
  __m512i cd_high = _mm512_unpackhi_epi32(runs[2], runs[3]);
  v[0] = _mm512_unpacklo_epi64(ab_low, cd_low);
  v[1] = _mm512_unpackhi_epi64(ab_low, cd_low);
  v[2] = _mm512_unpacklo_epi64(ab_high, cd_high);
  v[3] = _mm512_unpackhi_epi64(ab_high, cd_high);
}

/* A tile of a byte a column, of which `n` are left. */
INLINE void tile_of_bytes(const char *p, long n, __m512i *v) {
  __m512i firsts[4], seconds[4];
#pragma GCC unroll 4
  for (long i = 0; i < 4; i++) {
    __m512i two = some_bytes(p + 128 * i, n - 128 * i);
    __m512i next = some_bytes(p + 128 * i + 64, n - 128 * i - 64);
    firsts[i] = _mm512_shuffle_i64x2(two, next, 0x88);
    seconds[i] = _mm512_shuffle_i64x2(two, next, 0xDD);
  }
  in_lanes(firsts, v);
  in_lanes(seconds, v + 4);
}

#endif
