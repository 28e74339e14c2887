/* RMS and layer norm of rows, or of each head of a row. A block a run of `width` numbers. */
#include "numbers.cuh"

static constexpr int WARPS = 8;

template <class T>
__device__ __forceinline__ void normalise(const T *x, T *out, int width, const float *weight,
                                          const float *bias, float eps, int layer) {
  SHARED(float, scratch, WARPS);
  float mean = 0;
  if (layer) {
    float sum = 0;
    for (int i = threadIdx.x; i < width; i += WARPS * 32) sum += to_float(x[i]);
    mean = block_sum<WARPS>(sum, scratch) / width;
  }
  float squares = 0;
  for (int i = threadIdx.x; i < width; i += WARPS * 32) {
    float d = to_float(x[i]) - mean;
    squares = fmaf(d, d, squares);
  }
  float inverse = 1 / sqrtf(block_sum<WARPS>(squares, scratch) / width + eps);
  for (int i = threadIdx.x; i < width; i += WARPS * 32) {
    float y = (to_float(x[i]) - mean) * inverse * weight[i];
    out[i] = from_float<T>(bias ? y + bias[i] : y);
  }
}

template <class T>
__device__ __forceinline__ void norm(const T *x, int x_stride, T *out, int out_stride, int width,
                                     const float *weight, const float *bias, float eps, int layer) {
  size_t row = blockIdx.x, start = (size_t)blockIdx.y * width;
  normalise(x + row * x_stride + start, out + row * out_stride + start, width, weight, bias, eps,
            layer);
}

/* The sum stays in `residual`, rounded to T; what is normalised is the rounded sum. */
template <class T>
__device__ __forceinline__ void add_norm(T *residual, int residual_stride, const T *x, int x_stride,
                                         T *out, int out_stride, int width, const float *weight,
                                         const float *bias, float eps, int layer) {
  size_t row = blockIdx.x;
  T *sum = residual + row * residual_stride;
  // each thread normalises the very numbers that it added, so no barrier lies between
  for (int i = threadIdx.x; i < width; i += WARPS * 32)
    sum[i] = from_float<T>(to_float(sum[i]) + to_float(x[row * x_stride + i]));
  normalise(sum, out + row * out_stride, width, weight, bias, eps, layer);
}

#define NORMS(T, suffix)                                                                        \
  KERNEL norm_##suffix(const T *x, int x_stride, T *out, int out_stride, int width,             \
                       const float *weight, const float *bias, float eps, int layer) {          \
    norm(x, x_stride, out, out_stride, width, weight, bias, eps, layer);                        \
  }                                                                                             \
  EXPORT(norm_##suffix);                                                                        \
  KERNEL add_norm_##suffix(T *residual, int residual_stride, const T *x, int x_stride, T *out,  \
                           int out_stride, int width, const float *weight, const float *bias,   \
                           float eps, int layer) {                                              \
    add_norm(residual, residual_stride, x, x_stride, out, out_stride, width, weight, bias, eps, \
             layer);                                                                            \
  }                                                                                             \
  EXPORT(add_norm_##suffix);

NORMS(float, f32)
NORMS(bf16, bf16)
