/* Kernels that only move numbers: rows that were picked, columns in another order, KV blocks, tokens. */
#include "numbers.cuh"
#include "rows.cuh"

template <class T>
__device__ __forceinline__ void gather(const T *x, int x_stride, const int *picks, T *out,
                                       int out_stride, int width) {
  size_t row = blockIdx.x;
  int from = picks[row];
  for (int i = threadIdx.x; i < width; i += blockDim.x)
    out[row * out_stride + i] = from < 0 ? from_float<T>(0) : x[(size_t)from * x_stride + i];
}

#define GATHER(T, suffix)                                                                 \
  KERNEL gather_##suffix(const T *x, int x_stride, const int *picks, T *out, int out_stride, \
                         int width) {                                                     \
    begin();                                                                              \
    gather(x, x_stride, picks, out, out_stride, width);                                   \
  }                                                                                       \
  EXPORT(gather_##suffix);

GATHER(float, f32)
GATHER(bf16, bf16)

/* Column i of a result is that of x at order[i]. */
template <class T>
__device__ __forceinline__ void reorder(const T *x, int x_stride, const int *order, T *out,
                                        int out_stride, int width) {
  size_t row = blockIdx.x;
  int i = blockIdx.y * blockDim.x + threadIdx.x;
  if (i < width) out[row * out_stride + i] = x[row * x_stride + order[i]];
}

#define REORDER(T, suffix)                                                                  \
  KERNEL reorder_##suffix(const T *x, int x_stride, const int *order, T *out, int out_stride, \
                          int width) {                                                      \
    begin();                                                                                \
    reorder(x, x_stride, order, out, out_stride, width);                                    \
  }                                                                                         \
  EXPORT(reorder_##suffix);

REORDER(float, f32)
REORDER(bf16, bf16)

/* A token of -2 or less is that of the step before at pick -2 - token. */
KERNEL fill_tokens(int *tokens, const int *drawn, int rows) {
  begin();
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row < rows && tokens[row] <= -2) tokens[row] = drawn[-2 - tokens[row]];
}
EXPORT(fill_tokens);

/*
 * Copies KV blocks one over another, {source, target} by {source, target}. Each thread makes all
 * copies of its 16 bytes, so a block that was copied to can be copied from.
 */
KERNEL copy_blocks(uint4 *cache, long long block_bytes, const int2 *copies, int count) {
  begin();
  size_t words = block_bytes / sizeof(uint4);
  size_t word = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (word >= words) return;
  for (int i = 0; i < count; i++)
    cache[copies[i].y * words + word] = cache[copies[i].x * words + word];
}
EXPORT(copy_blocks);

/* The likeliest token of each row of logits; of equals, the first; −1 if one is NaN or +infinity. */
KERNEL __launch_bounds__(1024) argmax_f32(const float *logits, int stride, int vocabulary,
                                          int *tokens) {
  begin();
  SHARED(float, scratch, 32);
  SHARED(int, first, 1);
  const float *row = logits + (size_t)blockIdx.x * stride;
  Extremes found = extremes<1024>(row, vocabulary, scratch, first);
  if (threadIdx.x == 0) tokens[blockIdx.x] = found.largest == INFINITY ? -1 : found.token;
}
EXPORT(argmax_f32);
