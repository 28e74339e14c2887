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
static constexpr int SHARED_HEADS = 8;

/*
 * Cuts rows into `count` parts: parts[i] = {row, first position, end, sequence}; those of row r are
 * starts[r] to starts[r + 1] - 1. Where that is only one, its row is told as ~r. One block.
 */
KERNEL __launch_bounds__(PLANNERS) plan_decode(const int *positions, const int *sequences, int rows,
                                               const int *length, int window, int4 *parts,
                                               int *starts, int *total) {
  begin();
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
      parts[start + i] =
          make_int4(count > 1 ? row : ~row, max(from, oldest), min(from + part_length, last + 1),
                    sequences[row]);
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
  float *sums;   /* [parts][heads][D] */
  float2 *stats; /* [parts][heads]: largest score, total of the weights */
  bf16 *out;     /* of rows of one part */
  int out_stride;
};

__device__ __forceinline__ bf16 mean(float sum, float total) {
  return to_bf16(total > 0 ? sum / total : 0);
}

/* What the warps found of one part, put together in shared memory of its own. */
template <int D>
struct Merging {
  float sums[WARPS][SHARED_HEADS][D];
  float2 stats[WARPS][SHARED_HEADS];
};

/* The four warps' shares of one part become one, or the result where the row has no other part. */
template <int D>
__device__ __forceinline__ void merge_warps(Merging<D> &merging, const float (&out)[D / 8][4],
                                            float largest, float total, int share, int head,
                                            int part, int row, const Step &step) {
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, r = lane / 4;
  if (r < share) {
#pragma unroll
    for (int n = 0; n < D / 8; n++)
      *reinterpret_cast<float2 *>(&merging.sums[warp][r][n * 8 + lane % 4 * 2]) =
          make_float2(out[n][0], out[n][1]);
    if (lane % 4 == 0) merging.stats[warp][r] = make_float2(largest, total);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < share * D; i += THREADS) {
    int g = i / D;
    float most = FAR, all = 0, sum = 0;
    for (int w = 0; w < WARPS; w++) most = fmaxf(most, merging.stats[w][g].x);
    for (int w = 0; w < WARPS; w++) {
      float kept = exp2_approximate(merging.stats[w][g].x - most);
      all += merging.stats[w][g].y * kept;
      sum += merging.sums[w][g][i % D] * kept;
    }
    if (row < 0) {
      step.out[(size_t)~row * step.out_stride + (head * share + g) * D + i % D] = mean(sum, all);
      continue;
    }
    size_t at = (size_t)part * step.heads + head * share + g;
    step.sums[at * D + i % D] = sum;
    if (i % D == 0) step.stats[at] = make_float2(most, all);
  }
}

/* The tiles of all that a block does, one after another: copies run ahead of what is computed. */
struct Tiles {
  int item; /* part and KV head */
  int end;
  int4 part = {0, 0, 0, 0};
  int4 next = {0, 0, 0, 0}; /* of the next item, asked for an item ahead */
  int at = 0;               /* position at which the tile begins */

  __device__ __forceinline__ bool done() const { return item >= end; }

  __device__ __forceinline__ void look_ahead(const Step &step, const Cache<bf16> &cache) {
    int coming = item + (int)gridDim.x;
    if (coming < end) next = step.parts[coming / cache.heads];
  }

  __device__ __forceinline__ void begin(const Step &step, const Cache<bf16> &cache) {
    if (done()) return;
    part = step.parts[item / cache.heads];
    at = part.y;
    look_ahead(step, cache);
  }

  /* To the next tile, or the first of the next item. */
  __device__ __forceinline__ void advance(const Step &step, const Cache<bf16> &cache) {
    at += TILE;
    if (at < part.z) return;
    item += gridDim.x;
    part = next;
    at = part.y;
    look_ahead(step, cache);
  }
};

/* The queries of the heads that share a KV head, as the left factor; there are at most eight. */
template <int D>
__device__ __forceinline__ void load_queries(unsigned (&q)[D / 16][4], const Step &step, int row,
                                             int head, int share) {
  int lane = threadIdx.x % 32;
  const bf16 *query =
      step.queries + ((size_t)row * step.heads + head * share + min(lane / 4, share - 1)) * D;
#pragma unroll
  for (int k = 0; k < D / 16; k++) {
    const unsigned *pairs = reinterpret_cast<const unsigned *>(query + k * 16 + lane % 4 * 2);
    q[k][0] = lane / 4 < share ? pairs[0] : 0;
    q[k][2] = lane / 4 < share ? pairs[4] : 0;
    q[k][1] = q[k][3] = 0;
  }
}

template <int D>
__device__ __forceinline__ void decode(bf16 *ring, int items, const Step &step,
                                       const Cache<bf16> &cache, const Scores &scores) {
  Merging<D> &merging = *reinterpret_cast<Merging<D> *>(ring + STAGES * 2 * TILE * D);
  int warp = threadIdx.x / 32, share = step.heads / cache.heads;
  Tiles coming = {(int)blockIdx.x, items};
  coming.begin(step, cache);
  Found found = {};  // a tile ahead of the copies, so that these need not wait for it
  auto find = [&] {
    if (coming.done()) return;
    const int *blocks = cache.tables + (size_t)coming.part.w * cache.table_stride;
    found = find_tile(cache, blocks, coming.at, coming.part.z);
  };
  find();
  auto load = [&](int stage) {
    bf16 *keys = ring + stage * 2 * TILE * D;
    if (!coming.done()) {
      load_tile<D>(keys, keys + TILE * D, cache, found, coming.item % cache.heads, coming.at,
                   coming.part.z);
      coming.advance(step, cache);
      find();
    }
    copies_commit();
  };
  for (int stage = 0; stage < STAGES - 1; stage++) load(stage);

  int stage = 0;
  Tiles now = {(int)blockIdx.x, items};
  for (now.begin(step, cache); !now.done();) {
    int item = now.item, head = item % cache.heads;
    int row = now.part.x;
    unsigned q[D / 16][4];
    load_queries<D>(q, step, row < 0 ? ~row : row, head, share);
    auto queries = [&](int, int k, unsigned(&a)[4]) {
#pragma unroll
      for (int i = 0; i < 4; i++) a[i] = q[k][i];
    };
    float out[1][D / 8][4] = {}, largest = FAR, total = 0;
    while (now.item == item) {
      copies_wait<STAGES - 2>();
      __syncthreads();  // the tile is there for all, and nobody reads the stage that comes next
      load((stage + STAGES - 1) % STAGES);
      const bf16 *keys = ring + stage * 2 * TILE * D;
      float sums[1][2][4] = {};
      int mine = now.at + warp * 16, end = now.part.z;  // a warp takes 16 positions of the tile
      query_keys<D, 1, 1>(sums, queries, keys, warp * 16);
      auto shown = [=](int i) { return mine + i < end; };
      if (mine + 16 <= end)
        soften<D, 1, false>(sums[0], 0, scores, out[0], largest, total, shown);
      else
        soften<D, 1, true>(sums[0], 0, scores, out[0], largest, total, shown);
      sums[0][0][2] = sums[0][0][3] = sums[0][1][2] = sums[0][1][3] = 0;
      weigh_values<D, 1, 1>(out, sums, keys + TILE * D, warp * 16);
      stage = (stage + 1) % STAGES;
      now.advance(step, cache);
    }
    total += shuffle_xor(total, 1);
    total += shuffle_xor(total, 2);
    merge_warps<D>(merging, out[0], largest, total, share, head, item / cache.heads, row, step);
  }
}

#define DECODE(D)                                                                                 \
  KERNEL __launch_bounds__(THREADS) decode_##D(                                                   \
      const bf16 *queries, int heads, int kv_heads, float scale, float soft_cap, bf16 *keys,      \
      bf16 *values, long long block_stride, int block_size, const int *tables, int table_stride,  \
      const int4 *parts, const int *count, float *sums, float2 *stats, bf16 *out,                 \
      int out_stride) {                                                                           \
    begin();                                                                                      \
    DYNAMIC_SHARED(bf16, ring);                                                                   \
    decode<D>(ring, *count * kv_heads, {queries, heads, parts, sums, stats, out, out_stride},     \
              {keys, values, block_stride, block_size, tables, table_stride, kv_heads, D},        \
              {scale, 0, soft_cap});                                                              \
  }                                                                                               \
  EXPORT(decode_##D);

DECODE(64)
DECODE(128)

/*
 * Puts the parts of rows that have several together; a row without any gets zeros. A block a row and
 * a head.
 */
KERNEL merge_decode(const float *sums, const float2 *stats, const int *starts, int heads,
                    int head_dim, bf16 *out, int out_stride) {
  begin();
  size_t row = blockIdx.x, head = blockIdx.y, i = threadIdx.x;
  if (starts[row + 1] - starts[row] == 1) return;
  float most = FAR, total = 0, sum = 0;
  for (int part = starts[row]; part < starts[row + 1]; part++)
    most = fmaxf(most, stats[part * heads + head].x);
  for (int part = starts[row]; part < starts[row + 1]; part++) {
    float kept = exp2_approximate(stats[part * heads + head].x - most);
    total += stats[part * heads + head].y * kept;
    sum += sums[(part * heads + head) * head_dim + i] * kept;
  }
  out[row * out_stride + head * head_dim + i] = mean(sum, total);
}
EXPORT(merge_decode);
