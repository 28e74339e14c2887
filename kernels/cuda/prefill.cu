/*
 * Ragged causal attention over the paged cache for many rows: a block takes up to 128 queries, the
 * heads that share a KV head times some rows of one sequence; a warp 32 of them, which meet what it
 * reads of keys and values together. Tiles of positions begin at multiples
 * of 64, so a row is the same bits however its prompt was cut into steps.
 */
#include "flash.cuh"

static constexpr int M = 2; /* times 16 queries of a warp */
static constexpr int QUERIES = 4 * M * 16;

struct Batch {
  const bf16 *queries; /* [rows][heads · D] */
  int heads;
  const int4 *tiles; /* {first row, rows, sequence, 0} */
  const int *positions;
  bf16 *out;
  int out_stride;
};

template <int D>
__device__ __forceinline__ void prefill(const Batch &batch, const Cache<bf16> &cache,
                                        const Scores &scores) {
  DYNAMIC_SHARED(bf16, queries);
  bf16 *ring = queries + QUERIES * D;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, head = blockIdx.y;
  int4 tile = batch.tiles[gridDim.x - 1 - blockIdx.x];  // late rows, which see the most, first
  int share = batch.heads / cache.heads, count = tile.y * share;
  int first = batch.positions[tile.x], last = first + tile.y - 1;
  const int *blocks = cache.tables + (size_t)tile.z * cache.table_stride;
  int begin = scores.window ? max(0, first - scores.window + 1) / TILE : 0, end = last / TILE + 1;

  for (int i = threadIdx.x; i < QUERIES * (D / 8); i += THREADS) {
    int r = i / (D / 8), c = i % (D / 8);
    size_t row = tile.x + r / share, column = (size_t)(head * share + r % share) * D + c * 8;
    copy_async(queries + swizzled<D>(r, c),
               r < count ? batch.queries + row * batch.heads * D + column : batch.queries,
               r < count ? 16 : 0);
  }
  load_tile<D>(ring, ring + TILE * D, cache, find_tile(cache, blocks, begin * TILE, last + 1), head,
               begin * TILE, last + 1);
  copies_commit();
  // a tile ahead of the copies, so that these need not wait for it
  Found found = find_tile(cache, blocks, (begin + 1) * TILE, last + 1);
  copies_wait<0>();
  __syncthreads();
  auto of_queries = [=](int m, int k, unsigned(&a)[4]) {
    int r = (warp * M + m) * 16 + lane % 16;
    load_matrices(a, queries + swizzled<D>(r, k * 2 + lane / 16));
  };

  float out[M][D / 8][4] = {}, largest[M][2], total[M][2] = {};
#pragma unroll
  for (int m = 0; m < M; m++) largest[m][0] = largest[m][1] = FAR;
  int row0 = warp * M * 16 + lane / 4;
  for (int t = begin; t < end; t++) {
    bf16 *keys = ring + (t - begin) % 2 * 2 * TILE * D;
    if (t + 1 < end) {
      bf16 *next = ring + (t + 1 - begin) % 2 * 2 * TILE * D;
      load_tile<D>(next, next + TILE * D, cache, found, head, (t + 1) * TILE, last + 1);
      found = find_tile(cache, blocks, (t + 2) * TILE, last + 1);
    }
    copies_commit();
    if (warp * M * 16 < count) {
      float sums[M][TILE / 8][4] = {};
      query_keys<D, TILE / 16, M>(sums, of_queries, keys, 0);
      bool all = t * TILE + TILE - 1 <= first && (!scores.window || last - scores.window < t * TILE);
#pragma unroll
      for (int i = 0; i < 2 * M; i++) {
        int m = i / 2, half = i % 2;
        int position = first + (row0 + i * 8) / share;
        int oldest = scores.window ? position - scores.window + 1 : 0;
        auto shown = [=](int p) { return t * TILE + p <= position && t * TILE + p >= oldest; };
        if (all)
          soften<D, TILE / 16, false>(sums[m], half, scores, out[m], largest[m][half],
                                      total[m][half], shown);
        else
          soften<D, TILE / 16, true>(sums[m], half, scores, out[m], largest[m][half],
                                     total[m][half], shown);
      }
      weigh_values<D, TILE / 16, M>(out, sums, keys + TILE * D, 0);
    }
    copies_wait<0>();
    __syncthreads();  // the next tile is there for all, and nobody reads this one any more
  }
#pragma unroll
  for (int i = 0; i < 2 * M; i++) {
    int m = i / 2, half = i % 2, r = row0 + i * 8;
    float sum = total[m][half];
    sum += shuffle_xor(sum, 1);
    sum += shuffle_xor(sum, 2);
    if (r >= count) continue;
    bf16 *to = batch.out + (size_t)(tile.x + r / share) * batch.out_stride +
               (head * share + r % share) * D + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      to[n * 8] = to_bf16(out[m][n][half * 2] / sum);
      to[n * 8 + 1] = to_bf16(out[m][n][half * 2 + 1] / sum);
    }
  }
}

#define PREFILL(D)                                                                               \
  KERNEL __launch_bounds__(THREADS) prefill_##D(                                                 \
      const bf16 *queries, int heads, int kv_heads, float scale, int window, float soft_cap,     \
      bf16 *keys, bf16 *values, long long block_stride, int block_size, const int *tables,       \
      int table_stride, const int4 *tiles, const int *positions, bf16 *out, int out_stride) {    \
    begin();                                                                                     \
    prefill<D>({queries, heads, tiles, positions, out, out_stride},                              \
               {keys, values, block_stride, block_size, tables, table_stride, kv_heads, D},      \
               {scale, window, soft_cap});                                                       \
  }                                                                                              \
  EXPORT(prefill_##D);

PREFILL(64)
PREFILL(128)
