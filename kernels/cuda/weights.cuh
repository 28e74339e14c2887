/*
 * Weights as docs/device-formats.md lays them out, one number at a time. `scales` and `zeros` are
 * null where a format has none; `zeros` of CODE4 are the numbers that its codes name; `group` is 0 for one scale per row. FP8 has scales for each row, too,
 * as often as its blocks are high.
 */
#ifndef MILLRACE_WEIGHTS_CUH
#define MILLRACE_WEIGHTS_CUH

#include "numbers.cuh"

struct Weights {
  const void *data;
  const float *scales;
  const float *zeros;
  int group;
};

struct F32 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    return static_cast<const float *>(w.data)[(size_t)row * columns + column];
  }
};
struct BF16 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    return to_float(static_cast<const bf16 *>(w.data)[(size_t)row * columns + column]);
  }
};
struct F16 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    return to_float(static_cast<const half *>(w.data)[(size_t)row * columns + column]);
  }
};

__device__ __forceinline__ size_t group_of(const Weights &w, int row, int column, int columns) {
  int groups = (columns + w.group - 1) / w.group;
  return (size_t)row * groups + column / w.group;
}

struct INT8 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    float q = static_cast<const signed char *>(w.data)[(size_t)row * columns + column];
    size_t group = w.group == 0 ? row : group_of(w, row, column, columns);
    float scaled = __fmul_rn(q, w.scales[group]);
    return w.zeros ? __fadd_rn(scaled, -w.zeros[group]) : scaled;
  }
};
struct FP8 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    float number = to_float(static_cast<const fp8 *>(w.data)[(size_t)row * columns + column]);
    return __fmul_rn(number, w.scales[w.group == 0 ? row : group_of(w, row, column, columns)]);
  }
};
__device__ __forceinline__ unsigned nibble_at(const Weights &w, int row, int column, int columns) {
  size_t run = (size_t)row * ((columns + 31) / 32) + column / 32;
  unsigned byte = static_cast<const unsigned char *>(w.data)[run * 16 + column % 16];
  return column % 32 < 16 ? byte & 15 : byte >> 4;
}

struct INT4 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    float q = nibble_at(w, row, column, columns);
    size_t group = group_of(w, row, column, columns);
    if (w.zeros) return __fadd_rn(__fmul_rn(q, w.scales[group]), -w.zeros[group]);
    return __fmul_rn(q - 8, w.scales[group]);
  }
};
struct CODE4 {
  __device__ static float at(const Weights &w, int row, int column, int columns) {
    float number = w.zeros[nibble_at(w, row, column, columns)];
    return __fmul_rn(number, w.scales[group_of(w, row, column, columns)]);
  }
};

/* Instantiates a kernel for every format. */
#define FOR_EVERY_FORMAT(what, T, suffix) \
  what(T, suffix, F32, f32)               \
  what(T, suffix, BF16, bf16)             \
  what(T, suffix, F16, f16)               \
  what(T, suffix, INT8, int8)             \
  what(T, suffix, FP8, fp8)               \
  what(T, suffix, INT4, int4)             \
  what(T, suffix, CODE4, code4)

#endif
