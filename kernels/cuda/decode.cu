/*
 * Attention over the paged cache for one row of each sequence: the positions that a row sees are cut
 * into parts, which blocks take one by one from a list made on the device; then each row's parts are
 * merged (Flash-Decoding). The up to eight query heads that share a KV head are rows of one product.
 * The parts of a row begin at multiples of their length, whatever else is in the step.
 */
#include "flash.cuh"

static constexpr int STAGES = 3;
static constexpr int WARPS = THREADS / 32;
static constexpr int PLANNERS = 256;

/*
 * Cuts rows into `count` parts: parts[i] = {row, first position, end, 0}; those of row r are
 * starts[r] to starts[r + 1] - 1. One block.
 */
KERNEL __launch_bounds__(PLANNERS) plan_decode(const int *positions, int rows, const int *length,
                                               int window, int4 *parts, int *starts, int *total) {
  SHARED(int, counts, PLANNERS);
  SHARED(int, base, 1);
  int thread = threadIdx.x, part_length = *length;
  if (thread == 0) *base = 0;
  for (int first = 0; first < rows; first += PLANNERS) {
    int row = first + thread;
    int last = row < rows ? positions[row] : -1;
    int oldest = window ? max(0, last - window + 1) : 0;
    int begin = oldest / part_length;
    int count = last < 0 ? 0 : last / part_length - begin + 1;
    counts[thread] = count;
    __syncthreads();
    for (int step = 1; step < PLANNERS; step *= 2) {  // sums of all counts up to one's own
      int before = thread >= step ? counts[thread - step] : 0;
      __syncthreads();
      counts[thread] += before;
      __syncthreads();
    }
    int start = *base + counts[thread] - count;
    for (int i = 0; i < count; i++) {
      int from = (begin + i) * part_length;
      parts[start + i] = make_int4(row, max(from, oldest), min(from + part_length, last + 1), 0);
    }
    if (row < rows) starts[row] = start;
    __syncthreads();
    if (thread == PLANNERS - 1) *base += counts[thread];
    __syncthreads();
  }
  if (thread == 0) starts[rows] = *total = *base;
}
EXPORT(plan_decode);

struct Step {
  const bf16 *queries;
  int heads;
  const int4 *parts;
  const int *count;
  const int *sequences;
  float *sums;   /* [parts][heads][D] */
  float2 *stats; /* [parts][heads]: largest score, total of the weights */
};

/* The four warps' shares of one part become one; they lie where the tiles did. */
template <int D>
__device__ __forceinline__ void merge_warps(float *shared, const float (&out)[D / 8][4],
                                            float largest, float total, int share, int head,
                                            int part, const Step &step) {
  float2 *stats = reinterpret_cast<float2 *>(shared + WARPS * share * D);
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, r = lane / 4;
  if (r < share) {
#pragma unroll
    for (int n = 0; n < D / 8; n++)
      *reinterpret_cast<float2 *>(shared + (warp * share + r) * D + n * 8 + lane % 4 * 2) =
          make_float2(out[n][0], out[n][1]);
    if (lane % 4 == 0) stats[warp * share + r] = make_float2(largest, total);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < share * D; i += THREADS) {
    int g = i / D;
    float most = FAR, all = 0, sum = 0;
    for (int w = 0; w < WARPS; w++) most = fmaxf(most, stats[w * share + g].x);
    for (int w = 0; w < WARPS; w++) {
      float kept = exp2_approximate(stats[w * share + g].x - most);
      all += stats[w * share + g].y * kept;
      sum += shared[(w * share + g) * D + i % D] * kept;
    }
    size_t at = (size_t)part * step.heads + head * share + g;
    step.sums[at * D + i % D] = sum;
    if (i % D == 0) step.stats[at] = make_float2(most, all);
  }
}

template <int D>
__device__ __forceinline__ void attend_part(bf16 *ring, int part, int head, const Step &step,
                                            const Cache<bf16> &cache, const Scores &scores) {
  int4 todo = step.parts[part];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, share = step.heads / cache.heads;
  const int *blocks = cache.tables + (size_t)step.sequences[todo.x] * cache.table_stride;
  int begin = todo.y, end = todo.z, tiles = (end - begin + TILE - 1) / TILE;
  auto load = [&](int t) {
    bf16 *keys = ring + t % STAGES * 2 * TILE * D;
    if (t < tiles)
      load_tile<D>(keys, keys + TILE * D, cache, blocks, head, begin + t * TILE, end);
    copies_commit();
  };
  for (int t = 0; t < STAGES - 1; t++) load(t);

  unsigned q[D / 16][4];
  const bf16 *query =
      step.queries + ((size_t)todo.x * step.heads + head * share + min(lane / 4, share - 1)) * D;
#pragma unroll
  for (int k = 0; k < D / 16; k++) {
    const unsigned *pairs = reinterpret_cast<const unsigned *>(query + k * 16 + lane % 4 * 2);
    q[k][0] = lane / 4 < share ? pairs[0] : 0;
    q[k][2] = lane / 4 < share ? pairs[4] : 0;
    q[k][1] = q[k][3] = 0;  // there are at most eight queries
  }
  float out[D / 8][4] = {}, largest = FAR, total = 0;
  for (int t = 0; t < tiles; t++) {
    copies_wait<STAGES - 2>();
    __syncthreads();  // the tile is there for all, and nobody reads the stage that comes next
    load(t + STAGES - 1);
    const bf16 *keys = ring + t % STAGES * 2 * TILE * D;
    float sums[2][4] = {};
    int mine = begin + t * TILE + warp * 16;  // a warp takes 16 positions of the tile
    query_keys<D, 1>(sums, q, keys, warp * 16);
    soften<D, 1>(sums, 0, scores, out, largest, total, [=](int i) { return mine + i < end; });
    sums[0][2] = sums[0][3] = sums[1][2] = sums[1][3] = 0;
    weigh_values<D, 1>(out, sums, keys + TILE * D, warp * 16);
  }
  total += shuffle_xor(total, 1);
  total += shuffle_xor(total, 2);
  __syncthreads();  // what is merged overwrites the tiles
  merge_warps<D>(reinterpret_cast<float *>(ring), out, largest, total, share, head, part, step);
  __syncthreads();  // the next part's tiles overwrite that
}

#define DECODE(D)                                                                                 \
  KERNEL __launch_bounds__(THREADS) decode_##D(                                                   \
      const bf16 *queries, int heads, int kv_heads, float scale, float soft_cap, bf16 *keys,      \
      bf16 *values, long long block_stride, int block_size, const int *tables, int table_stride,  \
      const int4 *parts, const int *count, const int *sequences, float *sums, float2 *stats) {    \
    DYNAMIC_SHARED(bf16, ring);                                                                   \
    for (int i = blockIdx.x; i < *count * kv_heads; i += gridDim.x)                               \
      attend_part<D>(ring, i / kv_heads, i % kv_heads,                                            \
                     Step{queries, heads, parts, count, sequences, sums, stats},                  \
                     {keys, values, block_stride, block_size, tables, table_stride, kv_heads, D}, \
                     {scale, 0, soft_cap});                                                       \
  }                                                                                               \
  EXPORT(decode_##D);

DECODE(64)
DECODE(128)

/* Puts the parts of each row together; a row without any gets zeros. A block a row and a head. */
KERNEL merge_decode(const float *sums, const float2 *stats, const int *starts, int heads,
                    int head_dim, bf16 *out, int out_stride) {
  size_t row = blockIdx.x, head = blockIdx.y, i = threadIdx.x;
  float most = FAR, total = 0, sum = 0;
  for (int part = starts[row]; part < starts[row + 1]; part++)
    most = fmaxf(most, stats[part * heads + head].x);
  for (int part = starts[row]; part < starts[row + 1]; part++) {
    float kept = exp2_approximate(stats[part * heads + head].x - most);
    total += stats[part * heads + head].y * kept;
    sum += sums[(part * heads + head) * head_dim + i] * kept;
  }
  out[row * out_stride + head * head_dim + i] = to_bf16(total > 0 ? sum / total : 0);
}
EXPORT(merge_decode);
