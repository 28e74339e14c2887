/* Sixteen bytes of numbers at a time, as memory likes to be read and written. */
#ifndef MILLRACE_RUNS_CUH
#define MILLRACE_RUNS_CUH

#include "numbers.cuh"

template <class T>
struct Run {
  static constexpr int SIZE = 16 / sizeof(T);
};

/* Whether a row of that stride, and all rows after it, consist of runs from that address on. */
template <class T>
__device__ __forceinline__ bool consists_of_runs(const T *x, int stride) {
  return reinterpret_cast<uintptr_t>(x) % 16 == 0 && stride % Run<T>::SIZE == 0;
}

__device__ __forceinline__ void load_run(const float *from, float (&x)[4]) {
  float4 run = *reinterpret_cast<const float4 *>(from);
  x[0] = run.x;
  x[1] = run.y;
  x[2] = run.z;
  x[3] = run.w;
}
__device__ __forceinline__ void load_run(const bf16 *from, float (&x)[8]) {
  uint4 run = *reinterpret_cast<const uint4 *>(from);
  const unsigned pairs[4] = {run.x, run.y, run.z, run.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    x[2 * i] = as_float(pairs[i] << 16);
    x[2 * i + 1] = as_float(pairs[i] & 0xffff0000u);
  }
}

__device__ __forceinline__ void store_run(float *to, const float (&x)[4]) {
  *reinterpret_cast<float4 *>(to) = make_float4(x[0], x[1], x[2], x[3]);
}
__device__ __forceinline__ void store_run(bf16 *to, const float (&x)[8]) {
  *reinterpret_cast<uint4 *>(to) = make_uint4(pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3]),
                                              pack_bf16(x[4], x[5]), pack_bf16(x[6], x[7]));
}

#endif
