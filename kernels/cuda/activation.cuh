/* Activation functions by their numbers. */
#ifndef MILLRACE_ACTIVATION_CUH
#define MILLRACE_ACTIVATION_CUH

#include "numbers.cuh"

enum Activation { SILU = 0, GELU = 1, GELU_TANH = 2, RELU = 3 };

__device__ __forceinline__ float activated(int f, float x) {
  switch (f) {
    case SILU: return x / (1 + expf(-x));
    case GELU: return 0.5f * x * (1 + erff(x * 0.70710678f));
    case GELU_TANH: return 0.5f * x * (1 + tanhf(0.79788456f * fmaf(0.044715f * x * x, x, x)));
    default: return x != x ? x : fmaxf(x, 0.0f);
  }
}

/* A gate of two products, each rounded to BF16 first, as if it had been stored. */
__device__ __forceinline__ bf16 gated(int f, float gate, float up) {
  return to_bf16(to_float(to_bf16(up)) * activated(f, to_float(to_bf16(gate))));
}

#endif
