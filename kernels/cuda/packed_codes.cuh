/* Words of INT4, INT8 and FP8 codes as pairs of BF16, in which all of them are exact. */
#ifndef MILLRACE_PACKED_CODES_CUH
#define MILLRACE_PACKED_CODES_CUH

#include "numbers.cuh"

/* Activations, codes and their sizes. */
struct Problem {
  const bf16 *x;
  int x_stride;
  const unsigned char *codes;
  const float *scales;
  const float *zeros;
  int group;
  int rows, outs, ins;
};

/*
 * A run is 16 bytes of a row, of which each lane of a quad decodes a word, in steps of 16 columns. A
 * weight is what is decoded times its scale; in a matrix with zeros, and `rest` more.
 */
struct Int4Codes {
  static constexpr int STEPS = 2;     /* of a run */
  static constexpr bool ZEROS = true; /* a matrix may have some */
  static __device__ __forceinline__ size_t row_bytes(int ins) { return (ins + 31) / 32 * 16; }
  static __device__ __forceinline__ float rest(float scale, float zero) { return 8 * scale - zero; }
  /* 0x4300 | q is 128 + q, 0x4308 is 136. */
  static __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) {
    unsigned steps[STEPS] = {word & 0x0f0f0f0fu, word >> 4 & 0x0f0f0f0fu};
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      pairs[s][0] = subtract_bf16(__byte_perm(steps[s], 0x43434343u, 0x4140), 0x43084308u);
      pairs[s][1] = subtract_bf16(__byte_perm(steps[s], 0x43434343u, 0x4342), 0x43084308u);
    }
  }
};

struct Int8Codes {
  static constexpr int STEPS = 1;
  static constexpr bool ZEROS = true;
  static __device__ __forceinline__ size_t row_bytes(int ins) { return ins; }
  static __device__ __forceinline__ float rest(float, float zero) { return -zero; }
  /* 0x4b0000uu is 2^23 + u; what is left when 2^23 + 128 is gone fits the upper half of a float. */
  static __device__ __forceinline__ unsigned pair(unsigned word, int i) {
    float low = as_float(__byte_perm(word, 0x4b000000u, 0x7440 + i)) - 8388736.0f;
    float high = as_float(__byte_perm(word, 0x4b000000u, 0x7441 + i)) - 8388736.0f;
    return __byte_perm(as_bits(low), as_bits(high), 0x7632);
  }
  static __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) {
    word ^= 0x80808080u;
    pairs[0][0] = pair(word, 0);
    pairs[0][1] = pair(word, 2);
  }
};

struct Fp8Codes {
  static constexpr int STEPS = 1;
  static constexpr bool ZEROS = false;
  static __device__ __forceinline__ size_t row_bytes(int ins) { return ins; }
  /* Exponent and mantissa, put where BF16 has its own, are a number 2^120 times too small. */
  static __device__ __forceinline__ unsigned pair(unsigned bytes) {
    return multiply_bf16((bytes & 0x80008000u) | (bytes >> 4 & 0x07f007f0u), 0x7b807b80u);
  }
  static __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) {
    pairs[0][0] = pair(__byte_perm(word, 0, 0x1404));
    pairs[0][1] = pair(__byte_perm(word, 0, 0x3424));
  }
};

#endif
