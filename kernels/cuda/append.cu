/*
 * Rotates queries and keys, and appends keys and values to the paged cache. 64 threads a row and
 * head: first those of the queries, then those of the keys. The angle is the F32 product of position and
 * frequency, as the families were trained with. A row whose position is below 0 is padding: nothing
 * of it is kept.
 */
#include "cache.cuh"

static constexpr int THREADS = 64; /* of a head */
static constexpr int HEADS = 4;    /* of a block */

struct Rotation {
  const float *frequencies;
  int pairs;
  float factor;
  int interleaved;
};

/* Writes a head, rotated as the token at `position`. A thread turns a pair. */
template <class T, class To>
__device__ __forceinline__ void rotate(const T *head, To *to, int dim, const Rotation &rope,
                                       int position) {
  int thread = threadIdx.x % THREADS;
  for (int pair = thread; pair < rope.pairs; pair += THREADS) {
    int first = rope.interleaved ? 2 * pair : pair;
    int second = rope.interleaved ? 2 * pair + 1 : pair + rope.pairs;
    float x = to_float(head[first]), y = to_float(head[second]);
    float sine, cosine;
    sincosf((float)position * rope.frequencies[pair], &sine, &cosine);
    sine *= rope.factor;
    cosine *= rope.factor;
    to[first] = from_float<To>(x * cosine - y * sine);
    to[second] = from_float<To>(y * cosine + x * sine);
  }
  for (int i = 2 * rope.pairs + thread; i < dim; i += THREADS)
    to[i] = from_float<To>(to_float(head[i]));
}

template <class T, class K>
__device__ __forceinline__ void append(const T *q, int q_stride, const T *k, int k_stride,
                                       const T *v, int v_stride, T *queries, int heads,
                                       const Cache<K> &cache, const Rotation &rope,
                                       const int *positions, const int *sequences) {
  size_t row = blockIdx.x;
  int position = positions[row], dim = cache.head_dim;
  int head = blockIdx.y * HEADS + threadIdx.x / THREADS;
  if (position < 0 || head >= heads + cache.heads) return;
  if (head < heads) {
    rotate(q + row * q_stride + head * dim, queries + (row * heads + head) * dim, dim, rope,
           position);
    return;
  }
  head -= heads;
  const int *blocks = cache.tables + (size_t)sequences[row] * cache.table_stride;
  size_t to = cache.at(blocks, head, position);
  rotate(k + row * k_stride + head * dim, cache.keys + to, dim, rope, position);
  for (int i = threadIdx.x % THREADS; i < dim; i += THREADS)
    cache.values[to + i] = from_float<K>(to_float(v[row * v_stride + head * dim + i]));
}

#define APPEND(T, suffix, K, kv)                                                                  \
  KERNEL __launch_bounds__(HEADS * THREADS) append_##suffix##_##kv(                               \
      const T *q, int q_stride, const T *k, int k_stride, const T *v, int v_stride, T *queries,   \
      int heads, int kv_heads, int head_dim, const float *frequencies, int pairs, float factor,   \
      int interleaved, K *keys, K *values, long long block_stride, int block_size,                \
      const int *tables, int table_stride, const int *positions, const int *sequences) {          \
    begin();                                                                                      \
    append(q, q_stride, k, k_stride, v, v_stride, queries, heads,                                 \
           Cache<K>{keys, values, block_stride, block_size, tables, table_stride, kv_heads,       \
                    head_dim},                                                                    \
           Rotation{frequencies, pairs, factor, interleaved}, positions, sequences);              \
  }                                                                                               \
  EXPORT(append_##suffix##_##kv);

FOR_EVERY_CACHE(APPEND, float, f32)
FOR_EVERY_CACHE(APPEND, bf16, bf16)
