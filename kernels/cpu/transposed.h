/* 16 rows of 16 words become 16 columns. */
#ifndef MILLRACE_TRANSPOSED_H
#define MILLRACE_TRANSPOSED_H

#include "lanes.h"

/* First within lanes of four words, then the lanes themselves. */
INLINE void transpose(__m512i rows[16]) {
  __m512i pairs[16], fours[16];
#pragma GCC unroll 16
  for (int r = 0; r < 16; r += 2) {
    pairs[r] = _mm512_unpacklo_epi32(rows[r], rows[r + 1]);
    pairs[r + 1] = _mm512_unpackhi_epi32(rows[r], rows[r + 1]);
  }
  /* fours[4 q + c]: of rows 4 q to 4 q + 3, columns c, c + 4, c + 8 and c + 12 */
#pragma GCC unroll 4
  for (int q = 0; q < 16; q += 4) {
    fours[q] = _mm512_unpacklo_epi64(pairs[q], pairs[q + 2]);
    fours[q + 1] = _mm512_unpackhi_epi64(pairs[q], pairs[q + 2]);
    fours[q + 2] = _mm512_unpacklo_epi64(pairs[q + 1], pairs[q + 3]);
    fours[q + 3] = _mm512_unpackhi_epi64(pairs[q + 1], pairs[q + 3]);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    __m512i upper = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0x88);
    __m512i upper_odd = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0xdd);
    __m512i lower = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0x88);
    __m512i lower_odd = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0xdd);
    rows[c] = _mm512_shuffle_i32x4(upper, lower, 0x88);
    rows[c + 4] = _mm512_shuffle_i32x4(upper_odd, lower_odd, 0x88);
    rows[c + 8] = _mm512_shuffle_i32x4(upper, lower, 0xdd);
    rows[c + 12] = _mm512_shuffle_i32x4(upper_odd, lower_odd, 0xdd);
  }
}

#endif
