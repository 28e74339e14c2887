/* What is done to one number at a time: a row a blockIdx.x, 256 columns a blockIdx.y. */
#include "activation.cuh"
#include "runs.cuh"

__device__ __forceinline__ int column() { return blockIdx.y * 256 + threadIdx.x; }

template <class T>
__device__ __forceinline__ float at(const T *x, int stride, int column) {
  return to_float(x[(size_t)blockIdx.x * stride + column]);
}

template <class T>
__device__ __forceinline__ void put(T *out, int stride, int column, float y) {
  out[(size_t)blockIdx.x * stride + column] = from_float<T>(y);
}

/* Blocks side by side share a row, however many there are. */
template <class T>
__device__ __forceinline__ void gate(int f, const T *gate_up, int stride, T *out, int out_stride,
                                     int width) {
  constexpr int SIZE = Run<T>::SIZE;
  if (width % SIZE == 0 && consists_of_runs(gate_up, stride) && consists_of_runs(out, out_stride)) {
    for (int i = column(); i < width / SIZE; i += gridDim.y * 256) {
      const T *from = gate_up + (size_t)blockIdx.x * stride + i * SIZE;
      float gates[SIZE], ups[SIZE];
      load_run(from, gates);
      load_run(from + width, ups);
#pragma unroll
      for (int e = 0; e < SIZE; e++) ups[e] *= activated(f, gates[e]);
      store_run(out + (size_t)blockIdx.x * out_stride + i * SIZE, ups);
    }
    return;
  }
  for (int i = column(); i < width; i += gridDim.y * 256)
    put(out, out_stride, i,
        activated(f, at(gate_up, stride, i)) * at(gate_up, stride, width + i));
}

#define ELEMENTWISE(T, suffix)                                                                 \
  KERNEL add_##suffix(const T *a, int a_stride, const T *b, int b_stride, T *out,              \
                      int out_stride, int width) {                                             \
    begin();                                                                                   \
    int i = column();                                                                          \
    if (i < width) put(out, out_stride, i, at(a, a_stride, i) + at(b, b_stride, i));           \
  }                                                                                            \
  EXPORT(add_##suffix);                                                                        \
  KERNEL scale_##suffix(const T *x, int x_stride, T *out, int out_stride, int width, float by) {\
    begin();                                                                                    \
    int i = column();                                                                          \
    if (i < width) put(out, out_stride, i, at(x, x_stride, i) * by);                           \
  }                                                                                            \
  EXPORT(scale_##suffix);                                                                      \
  KERNEL soft_cap_##suffix(const T *x, int x_stride, T *out, int out_stride, int width,        \
                           float cap) {                                                        \
    begin();                                                                                   \
    int i = column();                                                                          \
    if (i < width) put(out, out_stride, i, cap * tanhf(at(x, x_stride, i) / cap));             \
  }                                                                                            \
  EXPORT(soft_cap_##suffix);                                                                   \
  KERNEL activate_##suffix(int f, const T *x, int x_stride, T *out, int out_stride,            \
                           int width) {                                                        \
    begin();                                                                                   \
    int i = column();                                                                          \
    if (i < width) put(out, out_stride, i, activated(f, at(x, x_stride, i)));                  \
  }                                                                                            \
  EXPORT(activate_##suffix);                                                                   \
  KERNEL gate_##suffix(int f, const T *gate_up, int stride, T *out, int out_stride,            \
                       int width) {                                                            \
    begin();                                                                                   \
    gate(f, gate_up, stride, out, out_stride, width);                                          \
  }                                                                                            \
  EXPORT(gate_##suffix);

ELEMENTWISE(float, f32)
ELEMENTWISE(bf16, bf16)

KERNEL widen_bf16(const bf16 *x, int x_stride, float *out, int out_stride, int width) {
  begin();
  int i = column();
  if (i < width) put(out, out_stride, i, at(x, x_stride, i));
}
EXPORT(widen_bf16);

KERNEL narrow_bf16(const float *x, int x_stride, bf16 *out, int out_stride, int width) {
  begin();
  int i = column();
  if (i < width) put(out, out_stride, i, at(x, x_stride, i));
}
EXPORT(narrow_bf16);
