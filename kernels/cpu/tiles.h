/*
 * The tile registers of AMX as products use them: all of 16 rows of 64 bytes, numbered 0 to 7. What
 * the instructions compute: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
 * TDPBF16PS.
 *
 * With EMULATED_TILES plain C computes the same, to the bit, for tests on processors without AMX.
 */
#ifndef MILLRACE_TILES_H
#define MILLRACE_TILES_H

#include "lanes.h"

#define TILE_ROWS 16
#define TILE_BYTES 1024

#ifdef EMULATED_TILES
#include "emulated_tiles.h"
#else
#include "tile_registers.h"

/* Between these two a thread's tiles are in use. */
INLINE void begin_tiles(void) { _tile_loadconfig(&all_tiles); }
INLINE void end_tiles(void) { _tile_release(); }

/* Numbers of tiles are constants, so these are no functions. */
#define tile_clear(tile) _tile_zero(tile)
#define tile_load(tile, from, stride) _tile_loadd(tile, from, stride)
#define tile_store(tile, to, stride) _tile_stored(tile, to, stride)

/* sum[m][n] += a[m] . b[n], of 32 numbers in BF16; b has in row k numbers 2 k and 2 k + 1 of each n. */
#define tile_multiply(sum, a, b) _tile_dpbf16ps(sum, a, b)

#endif
#endif
