/*
 * RMS and layer norm of rows, or of each head of a row. A block a run of `width` numbers, which its
 * threads hold in registers where it is not too wide and lies in runs of sixteen bytes.
 */
#include "runs.cuh"

static constexpr int WARPS = 8;
static constexpr int HELD = 4; /* runs of a thread */

struct Norm {
  int width;
  const float *weight;
  const float *bias;
  float eps;
  int layer;

  __device__ __forceinline__ float of(float x, int i, float mean, float inverse) const {
    float y = (x - mean) * inverse * weight[i];
    return bias ? y + bias[i] : y;
  }
};

/* Any row. */
template <class T>
__device__ __forceinline__ void normalise(const T *x, T *out, const Norm &norm) {
  SHARED(float, scratch, WARPS);
  float mean = 0;
  if (norm.layer) {
    float sum = 0;
    for (int i = threadIdx.x; i < norm.width; i += WARPS * 32) sum += to_float(x[i]);
    mean = block_sum<WARPS>(sum, scratch) / norm.width;
  }
  float squares = 0;
  for (int i = threadIdx.x; i < norm.width; i += WARPS * 32) {
    float d = to_float(x[i]) - mean;
    squares = fmaf(d, d, squares);
  }
  float inverse = 1 / sqrtf(block_sum<WARPS>(squares, scratch) / norm.width + norm.eps);
  for (int i = threadIdx.x; i < norm.width; i += WARPS * 32)
    out[i] = from_float<T>(norm.of(to_float(x[i]), i, mean, inverse));
}

template <class T>
__device__ __forceinline__ bool can_be_held(int width) {
  return width % Run<T>::SIZE == 0 && width <= HELD * WARPS * 32 * Run<T>::SIZE;
}

/* The runs of a row that a thread holds, from `x`. */
template <class T>
__device__ __forceinline__ void normalise_held(float (&x)[HELD][Run<T>::SIZE], T *out,
                                               const Norm &norm) {
  constexpr int SIZE = Run<T>::SIZE;
  SHARED(float, scratch, WARPS);
  int runs = norm.width / SIZE;
  float mean = 0;
  if (norm.layer) {
    float sum = 0;
#pragma unroll
    for (int h = 0; h < HELD; h++)
      if (h * WARPS * 32 + (int)threadIdx.x < runs)
#pragma unroll
        for (int e = 0; e < SIZE; e++) sum += x[h][e];
    mean = block_sum<WARPS>(sum, scratch) / norm.width;
  }
  float squares = 0;
#pragma unroll
  for (int h = 0; h < HELD; h++)
    if (h * WARPS * 32 + (int)threadIdx.x < runs)
#pragma unroll
      for (int e = 0; e < SIZE; e++) squares = fmaf(x[h][e] - mean, x[h][e] - mean, squares);
  float inverse = 1 / sqrtf(block_sum<WARPS>(squares, scratch) / norm.width + norm.eps);
#pragma unroll
  for (int h = 0; h < HELD; h++) {
    int run = h * WARPS * 32 + threadIdx.x;
    if (run >= runs) break;
#pragma unroll
    for (int e = 0; e < SIZE; e++) x[h][e] = norm.of(x[h][e], run * SIZE + e, mean, inverse);
    store_run(out + run * SIZE, x[h]);
  }
}

template <class T>
__device__ __forceinline__ void norm(const T *x, int x_stride, T *out, int out_stride,
                                     const Norm &norm) {
  constexpr int SIZE = Run<T>::SIZE;
  size_t row = blockIdx.x, start = (size_t)blockIdx.y * norm.width;
  const T *from = x + row * x_stride + start;
  T *to = out + row * out_stride + start;
  if (!can_be_held<T>(norm.width) || !consists_of_runs(x, x_stride) ||
      !consists_of_runs(out, out_stride)) {
    normalise(from, to, norm);
    return;
  }
  float held[HELD][SIZE];
#pragma unroll
  for (int h = 0; h < HELD; h++) {
    int run = h * WARPS * 32 + threadIdx.x;
    if (run < norm.width / SIZE) load_run(from + run * SIZE, held[h]);
  }
  normalise_held<T>(held, to, norm);
}

/* The sum stays in `residual`, rounded to T; what is normalised is the rounded sum. */
template <class T>
__device__ __forceinline__ void add_norm(T *residual, int residual_stride, const T *x, int x_stride,
                                         T *out, int out_stride, const Norm &norm) {
  constexpr int SIZE = Run<T>::SIZE;
  size_t row = blockIdx.x;
  T *sum = residual + row * residual_stride;
  const T *from = x + row * x_stride;
  if (!can_be_held<T>(norm.width) || !consists_of_runs(residual, residual_stride) ||
      !consists_of_runs(x, x_stride) || !consists_of_runs(out, out_stride)) {
    // each thread normalises the very numbers that it added, so no barrier lies between
    for (int i = threadIdx.x; i < norm.width; i += WARPS * 32)
      sum[i] = from_float<T>(to_float(sum[i]) + to_float(from[i]));
    normalise(sum, out + row * out_stride, norm);
    return;
  }
  float held[HELD][SIZE];
#pragma unroll
  for (int h = 0; h < HELD; h++) {
    int run = h * WARPS * 32 + threadIdx.x;
    if (run >= norm.width / SIZE) break;
    float added[SIZE];
    load_run(sum + run * SIZE, held[h]);
    load_run(from + run * SIZE, added);
#pragma unroll
    for (int e = 0; e < SIZE; e++)
      held[h][e] = to_float(from_float<T>(held[h][e] + added[e]));
    store_run(sum + run * SIZE, held[h]);
  }
  normalise_held<T>(held, out + row * out_stride, norm);
}

#define NORMS(T, suffix)                                                                        \
  KERNEL __launch_bounds__(WARPS * 32) norm_##suffix(                                           \
      const T *x, int x_stride, T *out, int out_stride, int width, const float *weight,         \
      const float *bias, float eps, int layer) {                                                \
    begin();                                                                                    \
    norm(x, x_stride, out, out_stride, {width, weight, bias, eps, layer});                      \
  }                                                                                             \
  EXPORT(norm_##suffix);                                                                        \
  KERNEL __launch_bounds__(WARPS * 32) add_norm_##suffix(                                       \
      T *residual, int residual_stride, const T *x, int x_stride, T *out, int out_stride,       \
      int width, const float *weight, const float *bias, float eps, int layer) {                \
    begin();                                                                                    \
    add_norm(residual, residual_stride, x, x_stride, out, out_stride,                           \
             Norm{width, weight, bias, eps, layer});                                            \
  }                                                                                             \
  EXPORT(add_norm_##suffix);

NORMS(float, f32)
NORMS(bf16, bf16)
