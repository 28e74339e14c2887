/* The types that activations, weights and the KV cache are stored in, each with its way to a float. */
#ifndef MILLRACE_NUMBERS_CUH
#define MILLRACE_NUMBERS_CUH

#include "primitives.cuh"

/* 4 bits of exponent, 3 of mantissa, no infinity (E4M3). */
struct fp8 {
  unsigned char bits;
};

__device__ __forceinline__ float to_float(float x) { return x; }

__device__ __forceinline__ float to_float(fp8 x) {
  unsigned size = x.bits & 0x7f;
  float scaled = as_float(size << 20) * as_float((127u + 120) << 23);  // subnormal numbers come right
  return as_float((size == 0x7f ? 0x7fc00000u : as_bits(scaled)) | (x.bits & 0x80u) << 24);
}

template <class T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) { return x; }
template <>
__device__ __forceinline__ bf16 from_float<bf16>(float x) { return to_bf16(x); }
template <>
__device__ __forceinline__ half from_float<half>(float x) { return to_half(x); }

/* The nearest, ties to even; beyond 448 the largest number stands. */
template <>
__device__ __forceinline__ fp8 from_float<fp8>(float x) {
  unsigned sign = as_bits(x) >> 24 & 0x80;
  float size = fabsf(x);
  unsigned code;
  if (size != size) {
    code = 0x7f;
  } else if (size >= 448) {
    code = 0x7e;
  } else if (size < 0x1p-6f) {
    code = (unsigned)rintf(size * 512);
  } else {
    unsigned bits = as_bits(size);
    code = ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - (120 << 3);
  }
  return {(unsigned char)(sign | code)};
}

#endif
