/*
 * Causal attention over the paged cache for any head size: a block a row and a query head, 128
 * positions at a time, softmax kept up to date as in FlashAttention
 * (https://arxiv.org/abs/2205.14135). Prefill and decode are the same arithmetic, and a row's is its
 * own: which tiles it is cut into follows from its position and the window.
 */
#include "cache.cuh"

static constexpr int WARPS = 4;
static constexpr int TILE = WARPS * 32;

/* Shared memory: query [head_dim], output [head_dim], weights [TILE]. */
template <class T, class K>
__device__ __forceinline__ void attend(const T *queries, const Cache<K> &cache, int heads,
                                       float scale, int window, float soft_cap,
                                       const int *positions, const int *sequences, T *out,
                                       int out_stride) {
  DYNAMIC_SHARED(float, query);
  SHARED(float, scratch, WARPS);
  int dim = cache.head_dim;
  float *sums = query + dim;
  float *weights = sums + dim;
  int head = blockIdx.x, thread = threadIdx.x;
  size_t row = blockIdx.y;
  int last = positions[row];
  int kv_head = head / (heads / cache.heads);
  T *result = out + row * out_stride + head * dim;
  if (last < 0) {
    for (int i = thread; i < dim; i += TILE) result[i] = from_float<T>(0);
    return;
  }
  const int *blocks = cache.tables + (size_t)sequences[row] * cache.table_stride;
  for (int i = thread; i < dim; i += TILE) {
    query[i] = to_float(queries[(row * heads + head) * dim + i]);
    sums[i] = 0;
  }
  __syncthreads();
  float largest = -INFINITY, total = 0;
  for (int start = window ? max(0, last - window + 1) : 0; start <= last; start += TILE) {
    int position = start + thread;
    float score = -INFINITY;
    if (position <= last) {
      const K *key = cache.keys + cache.at(blocks, kv_head, position);
      score = 0;
      for (int i = 0; i < dim; i++) score = fmaf(query[i], to_float(key[i]), score);
      score *= scale;
      if (soft_cap > 0) score = soft_cap * tanhf(score / soft_cap);
    }
    // after its barriers nobody reads the weights of the tile before
    float next = fmaxf(largest, block_max<WARPS>(score, scratch));
    float kept = expf(largest - next);
    float weight = expf(score - next);
    weights[thread] = weight;
    total = total * kept + block_sum<WARPS>(weight, scratch);
    largest = next;
    int count = min(TILE, last - start + 1);
    for (int i = thread; i < dim; i += TILE) {
      float sum = sums[i] * kept;
      for (int j = 0; j < count; j++)
        sum = fmaf(weights[j],
                   to_float(cache.values[cache.at(blocks, kv_head, start + j) + i]), sum);
      sums[i] = sum;
    }
  }
  for (int i = thread; i < dim; i += TILE) result[i] = from_float<T>(sums[i] / total);
}

#define ATTEND(T, suffix, K, kv)                                                                 \
  KERNEL __launch_bounds__(TILE) attend_##suffix##_##kv(                                         \
      const T *queries, int heads, int kv_heads, int head_dim, float scale, int window,          \
      float soft_cap, K *keys, K *values, long long block_stride, int block_size,                \
      const int *tables, int table_stride, const int *positions, const int *sequences, T *out,   \
      int out_stride) {                                                                          \
    begin();                                                                                     \
    attend(queries,                                                                              \
           Cache<K>{keys, values, block_stride, block_size, tables, table_stride, kv_heads,      \
                    head_dim},                                                                   \
           heads, scale, window, soft_cap, positions, sequences, out, out_stride);               \
  }                                                                                              \
  EXPORT(attend_##suffix##_##kv);

FOR_EVERY_CACHE(ATTEND, float, f32)
FOR_EVERY_CACHE(ATTEND, bf16, bf16)
