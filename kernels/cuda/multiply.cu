/*
 * y = x Wᵀ + b for weights in any format and of any size: a warp an output feature, eight rows of x at
 * a time. The sum of a row does not depend on how many rows there are.
 */
#include "weights.cuh"

static constexpr int ROWS = 8;
static constexpr int WARPS = 4;

template <class T, class Out, class Format>
__device__ __forceinline__ void multiply(const T *x, int x_stride, const Weights &w,
                                         const float *bias, Out *out, int out_stride, int rows,
                                         int outs, int ins) {
  int lane = threadIdx.x % 32;
  int feature = blockIdx.x * WARPS + threadIdx.x / 32;
  if (feature >= outs) return;
  int first = blockIdx.y * ROWS;
  float sums[ROWS] = {};
  for (int i = lane; i < ins; i += 32) {
    float weight = Format::at(w, feature, i, ins);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
      if (first + r < rows)
        sums[r] = fmaf(to_float(x[(size_t)(first + r) * x_stride + i]), weight, sums[r]);
  }
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    if (first + r >= rows) return;
    float sum = warp_sum(sums[r]);
    if (lane == r)
      out[(size_t)(first + r) * out_stride + feature] =
          from_float<Out>(bias ? sum + bias[feature] : sum);
  }
}

#define MULTIPLY(T, suffix, Out, Format, format)                                                  \
  KERNEL multiply_##suffix##_##format(const T *x, int x_stride, const void *data,                 \
                                      const float *scales, const float *zeros, int group,         \
                                      const float *bias, Out *out, int out_stride, int rows,      \
                                      int outs, int ins) {                                        \
    begin();                                                                                      \
    multiply<T, Out, Format>(x, x_stride, {data, scales, zeros, group}, bias, out, out_stride,    \
                             rows, outs, ins);                                                    \
  }                                                                                               \
  EXPORT(multiply_##suffix##_##format);
#define SAME(T, suffix, Format, format) MULTIPLY(T, suffix, T, Format, format)
#define WIDE(T, suffix, Format, format) MULTIPLY(T, suffix, float, Format, format)

FOR_EVERY_FORMAT(SAME, float, f32)
FOR_EVERY_FORMAT(SAME, bf16, bf16)
FOR_EVERY_FORMAT(WIDE, bf16, wide)
