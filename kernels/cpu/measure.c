/*
 * What the machine does at best: loops that only multiply, neither loading nor storing, or only read.
 * Speeds of kernels are given as shares of these.
 */
#include <immintrin.h>

#include "tile_registers.h"

#define EXPORTED __attribute__((visibility("default")))
#define FOR(...) __attribute__((target(__VA_ARGS__)))

/* As engine.device.cpu.MachineLimits counts them. */
enum unit { AVX2 = 0, AVX512 = 1, AMX = 2 };
enum numbers { F32 = 0, BF16 = 1, INT8 = 2 };

/*
 * Takes `step` on `count` sums, again and again. There are more sums than an instruction takes times
 * those begun at once, so none waits; the compiler is not to know what is multiplied, nor that all
 * sums are equal.
 */
#define LOOP(count, vector, start, step)                                             \
  vector sums[count], a = start, b = start;                                          \
  __asm__ volatile("" : "+v"(a), "+v"(b));                                           \
  _Pragma("GCC unroll 24") for (int i = 0; i < count; i++) __asm__("" : "=v"(sums[i]) : "0"(start)); \
  for (long round = 0; round < rounds; round++)                                      \
    _Pragma("GCC unroll 24") for (int i = 0; i < count; i++) sums[i] = step;          \
  _Pragma("GCC unroll 24") for (int i = 0; i < count; i++) __asm__ volatile("" : : "v"(sums[i]))

FOR("avx2,fma") static long avx2_f32(long rounds) {
  LOOP(12, __m256, _mm256_set1_ps(0.5f), _mm256_fmadd_ps(a, b, sums[i]));
  return rounds * 12 * 16;
}

FOR("avx512f") static long avx512_f32(long rounds) {
  LOOP(24, __m512, _mm512_set1_ps(0.5f), _mm512_fmadd_ps(a, b, sums[i]));
  return rounds * 24 * 32;
}

FOR("avx512f,avx512bf16") static long avx512_bf16(long rounds) {
  LOOP(24, __m512, _mm512_set1_ps(0.5f), _mm512_dpbf16_ps(sums[i], (__m512bh)a, (__m512bh)b));
  return rounds * 24 * 64;
}

FOR("avx512f,avx512vnni") static long avx512_int8(long rounds) {
  LOOP(24, __m512i, _mm512_set1_epi32(0x03030303), _mm512_dpbusd_epi32(sums[i], a, b));
  return rounds * 24 * 128;
}

/* Four sums of two tiles by two; zeros cost as much as other numbers. */
FOR("amx-tile,amx-bf16") static long amx_bf16(long rounds) {
  _tile_loadconfig(&all_tiles);
  for (long round = 0; round < rounds; round++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return rounds * 4 * 16 * 16 * 64;
}

FOR("amx-tile,amx-int8") static long amx_int8(long rounds) {
  _tile_loadconfig(&all_tiles);
  for (long round = 0; round < rounds; round++) {
    _tile_dpbssd(0, 4, 6);
    _tile_dpbssd(1, 4, 7);
    _tile_dpbssd(2, 5, 6);
    _tile_dpbssd(3, 5, 7);
  }
  _tile_release();
  return rounds * 4 * 16 * 16 * 128;
}

/*
 * Multiplies on the calling thread, a number of rounds. Gives the operations that were done, a
 * product and its sum being two, or 0 where the processor cannot.
 */
long EXPORTED peak(long unit, long numbers, long rounds) {
  __builtin_cpu_init();
  int avx512 = __builtin_cpu_supports("avx512f");
  switch (unit * 3 + numbers) {
    case AVX2 * 3 + F32:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? avx2_f32(rounds) : 0;
    case AVX512 * 3 + F32: return avx512 ? avx512_f32(rounds) : 0;
    case AVX512 * 3 + BF16:
      return avx512 && __builtin_cpu_supports("avx512bf16") ? avx512_bf16(rounds) : 0;
    case AVX512 * 3 + INT8:
      return avx512 && __builtin_cpu_supports("avx512vnni") ? avx512_int8(rounds) : 0;
    case AMX * 3 + BF16:
      return __builtin_cpu_supports("amx-bf16") && tiles_given() ? amx_bf16(rounds) : 0;
    case AMX * 3 + INT8:
      return __builtin_cpu_supports("amx-int8") && tiles_given() ? amx_int8(rounds) : 0;
    default: return 0;
  }
}

/*
 * Reads memory in order, a multiple of 256 bytes, and gives all its words of 64 bits by exclusive or.
 * Needs AVX2.
 */
FOR("avx2") long EXPORTED read_memory(const char *memory, long bytes) {
  __m256i sums[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) sums[i] = _mm256_setzero_si256();
  for (long at = 0; at < bytes; at += 256) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      __m256i line = _mm256_loadu_si256((const __m256i *)(memory + at + 32 * i));
      sums[i] = _mm256_xor_si256(sums[i], line);
    }
  }
#pragma GCC unroll 8
  for (int i = 1; i < 8; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  return _mm256_extract_epi64(sums[0], 0) ^ _mm256_extract_epi64(sums[0], 1) ^
         _mm256_extract_epi64(sums[0], 2) ^ _mm256_extract_epi64(sums[0], 3);
}
