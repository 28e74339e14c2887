/* Tiles in memory, one set for each thread: see tiles.h. */
#ifndef MILLRACE_EMULATED_TILES_H
#define MILLRACE_EMULATED_TILES_H

#include <math.h>

#define TILE_WORDS 16

/* Results are rounded to nearest; numbers that are subnormal count as zero and become it. */
#define FLUSHED (_MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON)

static _Thread_local char emulated_tiles[8][TILE_BYTES];

INLINE void begin_tiles(void) {}
INLINE void end_tiles(void) {}

INLINE void tile_clear(int tile) { __builtin_memset(emulated_tiles[tile], 0, TILE_BYTES); }

INLINE void tile_load(int tile, const void *from, long stride) {
  for (long row = 0; row < TILE_ROWS; row++)
    __builtin_memcpy(emulated_tiles[tile] + 64 * row, (const char *)from + row * stride, 64);
}

INLINE void tile_store(int tile, void *to, long stride) {
  for (long row = 0; row < TILE_ROWS; row++)
    __builtin_memcpy((char *)to + row * stride, emulated_tiles[tile] + 64 * row, 64);
}

/* The earlier number of a pair, or the later one. */
INLINE float number_of_pair(uint32_t pair, int later) {
  uint32_t bits = later ? pair & 0xffff0000u : pair << 16;
  float number;
  __builtin_memcpy(&number, &bits, sizeof number);
  return number;
}

static void tile_multiply(int sum, int a, int b) {
  unsigned modes = _mm_getcsr();
  _mm_setcsr((modes & ~(unsigned)_MM_ROUND_MASK) | FLUSHED);
  float (*sums)[TILE_WORDS] = (float (*)[TILE_WORDS])emulated_tiles[sum];
  const uint32_t(*left)[TILE_WORDS] = (const uint32_t(*)[TILE_WORDS])emulated_tiles[a];
  const uint32_t(*right)[TILE_WORDS] = (const uint32_t(*)[TILE_WORDS])emulated_tiles[b];
  for (long m = 0; m < TILE_ROWS; m++) {
    float earlier[TILE_WORDS] = {0}, later[TILE_WORDS] = {0};
    for (long k = 0; k < TILE_WORDS; k++) {
      for (long n = 0; n < TILE_WORDS; n++) {
        earlier[n] = fmaf(number_of_pair(left[m][k], 0), number_of_pair(right[k][n], 0), earlier[n]);
        later[n] = fmaf(number_of_pair(left[m][k], 1), number_of_pair(right[k][n], 1), later[n]);
      }
    }
    for (long n = 0; n < TILE_WORDS; n++) sums[m][n] += earlier[n] + later[n];
  }
  _mm_setcsr(modes);
}

#endif
