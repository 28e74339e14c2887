/*
 * Activations as INT8 or FP8 with one scale a row, for a library's products of such, and what is done
 * to INT8 products afterwards. A block a row.
 */
#include "numbers.cuh"

static constexpr int WARPS = 8;

struct Int8 {
  typedef signed char Code;
  static constexpr float LARGEST = 127;
  static __device__ __forceinline__ Code of(float x) { return (Code)rintf(x); }
};
struct Fp8 {
  typedef fp8 Code;
  static constexpr float LARGEST = 448;
  static __device__ __forceinline__ Code of(float x) { return from_float<fp8>(x); }
};

/* x is about code · scales[row]; a row of zeros has scale 0. */
template <class T, class Type>
__device__ __forceinline__ void quantise(const T *x, int x_stride, typename Type::Code *out,
                                         int out_stride, float *scales, int width) {
  SHARED(float, scratch, WARPS);
  size_t row = blockIdx.x;
  float largest = 0;
  for (int i = threadIdx.x; i < width; i += WARPS * 32)
    largest = fmaxf(largest, fabsf(to_float(x[row * x_stride + i])));
  largest = block_max<WARPS>(largest, scratch);
  float inverse = largest > 0 ? Type::LARGEST / largest : 0;
  for (int i = threadIdx.x; i < width; i += WARPS * 32)
    out[row * out_stride + i] = Type::of(to_float(x[row * x_stride + i]) * inverse);
  if (threadIdx.x == 0) scales[row] = largest / Type::LARGEST;
}

#define QUANTISE(T, suffix, Type, type)                                                      \
  KERNEL quantise_##suffix##_##type(const T *x, int x_stride, Type::Code *out, int out_stride, \
                                    float *scales, int width) {                              \
    begin();                                                                                 \
    quantise<T, Type>(x, x_stride, out, out_stride, scales, width);                          \
  }                                                                                          \
  EXPORT(quantise_##suffix##_##type);

QUANTISE(float, f32, Int8, int8)
QUANTISE(bf16, bf16, Int8, int8)
QUANTISE(float, f32, Fp8, fp8)
QUANTISE(bf16, bf16, Fp8, fp8)

/* sums · row_scales[row] · scales[column] + bias[column]. */
template <class T>
__device__ __forceinline__ void rescale(const int *sums, const float *row_scales,
                                        const float *scales, const float *bias, T *out,
                                        int out_stride, int outs) {
  size_t row = blockIdx.x;
  int i = blockIdx.y * 256 + threadIdx.x;
  if (i >= outs) return;
  float y = (float)sums[row * outs + i] * row_scales[row] * scales[i];
  out[row * out_stride + i] = from_float<T>(bias ? y + bias[i] : y);
}

#define RESCALE(T, suffix)                                                                   \
  KERNEL rescale_##suffix(const int *sums, const float *row_scales, const float *scales,     \
                          const float *bias, T *out, int out_stride, int outs) {             \
    begin();                                                                                 \
    rescale(sums, row_scales, scales, bias, out, out_stride, outs);                          \
  }                                                                                          \
  EXPORT(rescale_##suffix);

RESCALE(float, f32)
RESCALE(bf16, bf16)
