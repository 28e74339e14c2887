/*
 * Rotates queries and keys, and appends keys and values to the paged cache. A block a row. The angle
 * is the F32 product of position and frequency, as the families were trained with. A row whose
 * position is below 0 is padding: nothing of it is kept.
 */
#include "cache.cuh"

struct Rotation {
  const float *frequencies;
  int pairs;
  float factor;
  int interleaved;
};

/* Number i of a head, rotated as the token at `position`. */
template <class T>
__device__ __forceinline__ float rotated(const T *head, int i, const Rotation &rope, int position) {
  if (i >= 2 * rope.pairs) return to_float(head[i]);
  int pair = rope.interleaved ? i / 2 : i % rope.pairs;
  bool second = rope.interleaved ? i % 2 : i >= rope.pairs;
  float x = to_float(head[rope.interleaved ? 2 * pair : pair]);
  float y = to_float(head[rope.interleaved ? 2 * pair + 1 : pair + rope.pairs]);
  float sine, cosine;
  sincosf((float)position * rope.frequencies[pair], &sine, &cosine);
  sine *= rope.factor;
  cosine *= rope.factor;
  return second ? y * cosine + x * sine : x * cosine - y * sine;
}

template <class T, class K>
__device__ __forceinline__ void append(const T *q, int q_stride, const T *k, int k_stride,
                                       const T *v, int v_stride, T *queries, int heads,
                                       const Cache<K> &cache, const Rotation &rope,
                                       const int *positions, const int *sequences) {
  size_t row = blockIdx.x;
  int position = positions[row];
  if (position < 0) return;
  int dim = cache.head_dim;
  for (int i = threadIdx.x; i < heads * dim; i += blockDim.x)
    queries[row * heads * dim + i] = from_float<T>(
        rotated(q + row * q_stride + i / dim * dim, i % dim, rope, position));
  const int *blocks = cache.tables + (size_t)sequences[row] * cache.table_stride;
  for (int i = threadIdx.x; i < cache.heads * dim; i += blockDim.x) {
    size_t to = cache.at(blocks, i / dim, position) + i % dim;
    const T *key = k + row * k_stride + i / dim * dim;
    cache.keys[to] = from_float<K>(rotated(key, i % dim, rope, position));
    cache.values[to] = from_float<K>(to_float(v[row * v_stride + i]));
  }
}

#define APPEND(T, suffix, K, kv)                                                                  \
  KERNEL append_##suffix##_##kv(                                                                  \
      const T *q, int q_stride, const T *k, int k_stride, const T *v, int v_stride, T *queries,   \
      int heads, int kv_heads, int head_dim, const float *frequencies, int pairs, float factor,   \
      int interleaved, K *keys, K *values, long long block_stride, int block_size,                \
      const int *tables, int table_stride, const int *positions, const int *sequences) {          \
    append(q, q_stride, k, k_stride, v, v_stride, queries, heads,                                 \
           Cache<K>{keys, values, block_stride, block_size, tables, table_stride, kv_heads,       \
                    head_dim},                                                                    \
           Rotation{frequencies, pairs, factor, interleaved}, positions, sequences);              \
  }                                                                                               \
  EXPORT(append_##suffix##_##kv);

FOR_EVERY_CACHE(APPEND, float, f32)
FOR_EVERY_CACHE(APPEND, bf16, bf16)
