/* The paged KV cache of one layer. */
#ifndef MILLRACE_CACHE_CUH
#define MILLRACE_CACHE_CUH

#include "numbers.cuh"

/* In each block: [heads][block_size][head_dim], keys and values apart. Strides in numbers. */
template <class K>
struct Cache {
  K *keys;
  K *values;
  long long block_stride;
  int block_size;
  const int *tables; /* [sequences][table_stride], numbers of blocks */
  int table_stride;
  int heads;
  int head_dim;

  /* Where a head of the token at a position begins, in keys as in values. */
  __device__ __forceinline__ size_t at(const int *blocks, int head, int position) const {
    return in_block(blocks[position / block_size], head, position);
  }

  /* The same by the number of the block that holds the position. */
  __device__ __forceinline__ size_t in_block(int block, int head, int position) const {
    size_t row = (size_t)head * block_size + position % block_size;
    return block * block_stride + row * head_dim;
  }
};

#define FOR_EVERY_CACHE(what, T, suffix) \
  what(T, suffix, float, f32)            \
  what(T, suffix, bf16, bf16)            \
  what(T, suffix, half, f16)             \
  what(T, suffix, fp8, fp8)

#endif
