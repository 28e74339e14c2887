/*
 * Words of INT4, INT8 and FP8 codes as pairs of BF16, in which all of them are exact, and of CODE4, whose
 * numbers are rounded to it.
 */
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
  __device__ __forceinline__ explicit Int4Codes(const Problem &) {}
  static constexpr int STEPS = 2;     /* of a run */
  static constexpr bool ZEROS = true; /* a matrix may have some */
  static __device__ __forceinline__ size_t row_bytes(int ins) { return (ins + 31) / 32 * 16; }
  static __device__ __forceinline__ float rest(float scale, float zero) { return 8 * scale - zero; }
  /* 0x4300 | q is 128 + q, 0x4308 is 136. */
  __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) const {
    unsigned steps[STEPS] = {word & 0x0f0f0f0fu, word >> 4 & 0x0f0f0f0fu};
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      pairs[s][0] = subtract_bf16(__byte_perm(steps[s], 0x43434343u, 0x4140), 0x43084308u);
      pairs[s][1] = subtract_bf16(__byte_perm(steps[s], 0x43434343u, 0x4342), 0x43084308u);
    }
  }
};

struct Int8Codes {
  __device__ __forceinline__ explicit Int8Codes(const Problem &) {}
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
  __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) const {
    word ^= 0x80808080u;
    pairs[0][0] = pair(word, 0);
    pairs[0][1] = pair(word, 2);
  }
};

struct Fp8Codes {
  __device__ __forceinline__ explicit Fp8Codes(const Problem &) {}
  static constexpr int STEPS = 1;
  static constexpr bool ZEROS = false;
  static __device__ __forceinline__ size_t row_bytes(int ins) { return ins; }
  /* Exponent and mantissa, put where BF16 has its own, are a number 2^120 times too small. */
  static __device__ __forceinline__ unsigned pair(unsigned bytes) {
    return multiply_bf16((bytes & 0x80008000u) | (bytes >> 4 & 0x07f007f0u), 0x7b807b80u);
  }
  __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) const {
    pairs[0][0] = pair(__byte_perm(word, 0, 0x1404));
    pairs[0][1] = pair(__byte_perm(word, 0, 0x3424));
  }
};

/* Codes that name one of 16 numbers, which stand behind the scales, in the place of zeros. */
struct Code4Codes {
  static constexpr int STEPS = 2;
  static constexpr bool ZEROS = false;
  unsigned low[4], high[4]; /* bytes of the 16 numbers as BF16 */

  __device__ __forceinline__ explicit Code4Codes(const Problem &p) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      unsigned first = pack_bf16(p.zeros[4 * i], p.zeros[4 * i + 1]);
      unsigned second = pack_bf16(p.zeros[4 * i + 2], p.zeros[4 * i + 3]);
      low[i] = __byte_perm(first, second, 0x6420);
      high[i] = __byte_perm(first, second, 0x7531);
    }
  }
  static __device__ __forceinline__ size_t row_bytes(int ins) { return Int4Codes::row_bytes(ins); }
  /* What four codes, a byte each, name in a table of 16 bytes: its halves are asked for by `chosen`. */
  static __device__ __forceinline__ unsigned named(const unsigned (&table)[4], unsigned chosen,
                                                   unsigned upper) {
    return (__byte_perm(table[0], table[1], chosen) & ~upper) |
           (__byte_perm(table[2], table[3], chosen) & upper);
  }
  __device__ __forceinline__ void decode(unsigned word, unsigned (&pairs)[STEPS][2]) const {
    unsigned steps[STEPS] = {word & 0x0f0f0f0fu, word >> 4 & 0x0f0f0f0fu};
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      unsigned lower = steps[s] & 0x07070707u;
      unsigned chosen = __byte_perm(lower | lower >> 4, 0, 0x4420);
      unsigned upper = (steps[s] >> 3 & 0x01010101u) * 255;
      unsigned lows = named(low, chosen, upper), highs = named(high, chosen, upper);
      pairs[s][0] = __byte_perm(lows, highs, 0x5140);
      pairs[s][1] = __byte_perm(lows, highs, 0x7362);
    }
  }
};

#endif
