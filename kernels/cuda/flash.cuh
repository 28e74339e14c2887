/*
 * What decode and prefill attention share: BF16 queries, keys and values on tensor cores, tiles of 64
 * positions, softmax in F32 with powers of two, kept up to date from tile to tile
 * (FlashAttention-2, https://arxiv.org/abs/2307.08691).
 */
#ifndef MILLRACE_FLASH_CUH
#define MILLRACE_FLASH_CUH

#include "cache.cuh"

static constexpr int TILE = 64;
static constexpr int THREADS = 128;
static constexpr float LOG2_E = 1.4426950408889634f;
static constexpr float FAR = -1e30f; /* below every score; its differences stay finite */

struct Scores {
  float scale;
  int window;
  float soft_cap;

  /* In units of ln 2. */
  __device__ __forceinline__ float of(float product) const {
    return soft_cap * tanhf(product * scale / soft_cap) * LOG2_E;
  }
};

/* Where chunk c, of 8 numbers, of row r of a tile lies: swizzled, so that eight rows meet all banks. */
template <int D>
__device__ __forceinline__ int swizzled(int r, int c) {
  return r * D + (c ^ (r & 7)) * 8;
}

/* The numbers of the blocks that hold two positions of a tile, which a lane looks up for its warp. */
struct Found {
  int lower, upper;
};

/* Asks for a tile's blocks: of positions from `start` up to `end`. */
__device__ __forceinline__ Found find_tile(const Cache<bf16> &cache, const int *blocks, int start,
                                           int end) {
  int lower = start + threadIdx.x % 32, upper = lower + 32;
  return {lower < end ? blocks[lower / cache.block_size] : 0,
          upper < end ? blocks[upper / cache.block_size] : 0};
}

/* Where keys and values of a head at a position lie, in chunks of 16 bytes from the first. */
__device__ __forceinline__ unsigned chunk_of(const Cache<bf16> &cache, int block, int head,
                                             int position) {
  return (unsigned)(cache.in_block(block, head, position) / 8);
}

/*
 * Begins to copy keys and values of the positions from `start` up to `end`, whose blocks were found;
 * zeros beyond.
 */
template <int D>
__device__ __forceinline__ void load_tile(bf16 *keys, bf16 *values, const Cache<bf16> &cache,
                                          const Found &found, int head, int start, int end) {
  constexpr int CHUNKS = D / 8, ROWS = THREADS / CHUNKS;
  int lane = threadIdx.x % 32, row = threadIdx.x / CHUNKS, c = threadIdx.x % CHUNKS;
  unsigned lower = chunk_of(cache, found.lower, head, start + lane);
  unsigned upper = chunk_of(cache, found.upper, head, start + 32 + lane);
#pragma unroll
  for (int i = 0; i < TILE / ROWS; i++) {
    int r = i * ROWS + row;
    size_t from = ((size_t)shuffle(i * ROWS < 32 ? lower : upper, r % 32) + c) * 8;
    unsigned bytes = start + r < end ? 16 : 0;
    copy_async(keys + swizzled<D>(r, c), cache.keys + from, bytes);
    copy_async(values + swizzled<D>(r, c), cache.values + from, bytes);
  }
}

/*
 * For M times 16 queries, sums[m][2j], sums[m][2j + 1] += q · keys[row 16j to 16j + 15 of the tile], over
 * J runs of 16 positions. `queries(m, k, a)` has their numbers 16k to 16k + 15 as a left factor.
 */
template <int D, int J, int M, class Queries>
__device__ __forceinline__ void query_keys(float (&sums)[M][2 * J][4], Queries queries,
                                           const bf16 *keys, int first) {
  int lane = threadIdx.x % 32;
#pragma unroll
  for (int k = 0; k < D / 16; k++) {
    unsigned a[M][4];
#pragma unroll
    for (int m = 0; m < M; m++) queries(m, k, a[m]);
#pragma unroll
    for (int j = 0; j < J; j++) {
      unsigned b[4];
      int r = first + j * 16 + lane % 8 + lane / 16 * 8;
      load_matrices(b, keys + swizzled<D>(r, k * 2 + lane / 8 % 2));
#pragma unroll
      for (int m = 0; m < M; m++) {
        multiply_add(sums[m][2 * j], a[m], b[0], b[1]);
        multiply_add(sums[m][2 * j + 1], a[m], b[2], b[3]);
      }
    }
  }
}

/* out[m] += weights[m] · values, over J runs of 16 positions. */
template <int D, int J, int M>
__device__ __forceinline__ void weigh_values(float (&out)[M][D / 8][4],
                                             const float (&weights)[M][2 * J][4],
                                             const bf16 *values, int first) {
  int lane = threadIdx.x % 32;
#pragma unroll
  for (int j = 0; j < J; j++) {
    unsigned a[M][4];
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float(&pair)[4] = weights[m][2 * j + i / 2];
        a[m][i] = pack_bf16(pair[i % 2 * 2], pair[i % 2 * 2 + 1]);
      }
#pragma unroll
    for (int n = 0; n < D / 16; n++) {
      unsigned b[4];
      int r = first + j * 16 + lane % 8 + lane / 8 % 2 * 8;
      load_matrices_transposed(b, values + swizzled<D>(r, n * 2 + lane / 16));
#pragma unroll
      for (int m = 0; m < M; m++) {
        multiply_add(out[m][2 * n], a[m], b[0], b[1]);
        multiply_add(out[m][2 * n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

/*
 * Takes the products of one row (half 0 or 1 of the fragments) into its softmax: they become weights,
 * what came before is scaled down. `shown(i)` says whether the row sees the tile's position i; it is
 * asked only if SOME do not.
 */
template <int D, int J, bool SOME, class Shown>
__device__ __forceinline__ void soften(float (&sums)[2 * J][4], int half, const Scores &scores,
                                       float (&out)[D / 8][4], float &largest, float &total,
                                       Shown shown) {
  int lane = threadIdx.x % 32;
  float next = largest;
  if (scores.soft_cap > 0) {
#pragma unroll
    for (int j = 0; j < 2 * J; j++)
#pragma unroll
      for (int e = 0; e < 2; e++) sums[j][half * 2 + e] = scores.of(sums[j][half * 2 + e]);
  } else {
#pragma unroll
    for (int j = 0; j < 2 * J; j++)
#pragma unroll
      for (int e = 0; e < 2; e++) sums[j][half * 2 + e] *= scores.scale * LOG2_E;
  }
#pragma unroll
  for (int j = 0; j < 2 * J; j++)
#pragma unroll
    for (int e = 0; e < 2; e++) {
      float &s = sums[j][half * 2 + e];
      if (SOME) s = shown(j * 8 + lane % 4 * 2 + e) ? s : FAR;
      next = fmaxf(next, s);
    }
  next = fmaxf(next, shuffle_xor(next, 1));
  next = fmaxf(next, shuffle_xor(next, 2));
  float kept = exp2_approximate(largest - next), sum = 0;
#pragma unroll
  for (int j = 0; j < 2 * J; j++)
#pragma unroll
    for (int e = 0; e < 2; e++) {
      float &s = sums[j][half * 2 + e];
      s = SOME && s == FAR ? 0 : exp2_approximate(s - next);
      sum += s;
    }
  total = total * kept + sum;
  largest = next;
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
    out[n][half * 2] *= kept;
    out[n][half * 2 + 1] *= kept;
  }
}

#endif
