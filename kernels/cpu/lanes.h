/*
 * One vector of F32 numbers, LANES wide: 16 under AVX-512, 8 under AVX2 with FMA and F16C.
 * Sums over a vector add its halves, then the halves of that, so their order is fixed.
 */
#ifndef MILLRACE_LANES_H
#define MILLRACE_LANES_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/*
 * For variants of inlined code: GCC's is slower, and later there, where many are in one function. Not
 * every source that includes a header calls all of it.
 */
#define APART static __attribute__((noinline, unused))

/* The name that a function is exported under, once per instruction set. */
#define PASTE(name, isa) name##_##isa
#define NAMED(name, isa) PASTE(name, isa)
#define KERNEL(name) __attribute__((visibility("default"))) NAMED(name, ISA)

#if LANES == 16

typedef __m512 lanes;

INLINE lanes all(float x) { return _mm512_set1_ps(x); }
INLINE lanes load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, lanes x) { _mm512_storeu_ps(p, x); }
INLINE __mmask16 first(long n) { return (__mmask16)((1u << n) - 1); }
INLINE lanes load_first(const float *p, long n) { return _mm512_maskz_loadu_ps(first(n), p); }
INLINE void store_first(float *p, lanes x, long n) { _mm512_mask_storeu_ps(p, first(n), x); }
INLINE lanes add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
INLINE lanes sub(lanes a, lanes b) { return _mm512_sub_ps(a, b); }
INLINE lanes mul(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
INLINE lanes over(lanes a, lanes b) { return _mm512_div_ps(a, b); }
INLINE lanes larger(lanes a, lanes b) { return _mm512_max_ps(a, b); }
INLINE lanes smaller(lanes a, lanes b) { return _mm512_min_ps(a, b); }
/* a * b + c, rounded once */
INLINE lanes fma_(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
INLINE lanes rounded(lanes a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT); }
/* 2^n for whole n from -126 to 127 */
INLINE lanes power_of_two(lanes n) {
  __m512i i = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(i, 23));
}
INLINE lanes size_of(lanes x) { return _mm512_abs_ps(x); }
INLINE lanes nan_beyond(lanes x, float most) {
  __mmask16 beyond = _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(most), _CMP_GT_OQ);
  return _mm512_mask_mov_ps(x, beyond, _mm512_set1_ps(__builtin_nanf("")));
}
INLINE lanes with_sign(lanes size, lanes sign) {
  __m512i bit = _mm512_set1_epi32((int)0x80000000);
  return _mm512_castsi512_ps(
      _mm512_or_si512(_mm512_castps_si512(size), _mm512_and_si512(_mm512_castps_si512(sign), bit)));
}
INLINE __m256 halves_added(lanes x) {
  return _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
}
INLINE __m256 halves_compared(lanes x) {
  return _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
}
INLINE lanes from_bf16(const uint16_t *p) {
  __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
INLINE lanes from_f16(const uint16_t *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
INLINE lanes from_int8(const int8_t *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
typedef __m512i integers;
INLINE integers unsigned_bytes(const uint8_t *p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}
INLINE integers both(integers a, int32_t mask) {
  return _mm512_and_si512(a, _mm512_set1_epi32(mask));
}
INLINE integers either(integers a, integers b) { return _mm512_or_si512(a, b); }
INLINE integers up(integers a, int bits) { return _mm512_slli_epi32(a, bits); }
INLINE integers down(integers a, int bits) { return _mm512_srli_epi32(a, bits); }
INLINE lanes to_float(integers a) { return _mm512_cvtepi32_ps(a); }
INLINE lanes as_float(integers a) { return _mm512_castsi512_ps(a); }
/* table[a], of 16 numbers */
INLINE lanes named(const float *table, integers a) {
  return _mm512_permutexvar_ps(a, _mm512_loadu_ps(table));
}

#else

typedef __m256 lanes;

INLINE lanes all(float x) { return _mm256_set1_ps(x); }
INLINE lanes load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, lanes x) { _mm256_storeu_ps(p, x); }
INLINE __m256i first(long n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE lanes load_first(const float *p, long n) { return _mm256_maskload_ps(p, first(n)); }
INLINE void store_first(float *p, lanes x, long n) { _mm256_maskstore_ps(p, first(n), x); }
INLINE lanes add(lanes a, lanes b) { return _mm256_add_ps(a, b); }
INLINE lanes sub(lanes a, lanes b) { return _mm256_sub_ps(a, b); }
INLINE lanes mul(lanes a, lanes b) { return _mm256_mul_ps(a, b); }
INLINE lanes over(lanes a, lanes b) { return _mm256_div_ps(a, b); }
INLINE lanes larger(lanes a, lanes b) { return _mm256_max_ps(a, b); }
INLINE lanes smaller(lanes a, lanes b) { return _mm256_min_ps(a, b); }
INLINE lanes fma_(lanes a, lanes b, lanes c) { return _mm256_fmadd_ps(a, b, c); }
INLINE lanes rounded(lanes a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE lanes power_of_two(lanes n) {
  __m256i i = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(i, 23));
}
INLINE lanes size_of(lanes x) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}
INLINE lanes nan_beyond(lanes x, float most) {
  lanes beyond = _mm256_cmp_ps(size_of(x), _mm256_set1_ps(most), _CMP_GT_OQ);
  return _mm256_blendv_ps(x, _mm256_set1_ps(__builtin_nanf("")), beyond);
}
INLINE lanes with_sign(lanes size, lanes sign) {
  return _mm256_or_ps(size, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)));
}
INLINE __m256 halves_added(lanes x) { return x; }
INLINE __m256 halves_compared(lanes x) { return x; }
INLINE lanes from_bf16(const uint16_t *p) {
  __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
INLINE lanes from_f16(const uint16_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
INLINE lanes from_int8(const int8_t *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
typedef __m256i integers;
INLINE integers unsigned_bytes(const uint8_t *p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}
INLINE integers both(integers a, int32_t mask) {
  return _mm256_and_si256(a, _mm256_set1_epi32(mask));
}
INLINE integers either(integers a, integers b) { return _mm256_or_si256(a, b); }
INLINE integers up(integers a, int bits) { return _mm256_slli_epi32(a, bits); }
INLINE integers down(integers a, int bits) { return _mm256_srli_epi32(a, bits); }
INLINE lanes to_float(integers a) { return _mm256_cvtepi32_ps(a); }
INLINE lanes as_float(integers a) { return _mm256_castsi256_ps(a); }
INLINE lanes named(const float *table, integers a) {
  __m256 lower = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), a);
  __m256 upper = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), a);
  return _mm256_blendv_ps(lower, upper, as_float(up(a, 28)));
}

#endif

/* Fetches the lines of some bytes. */
INLINE void fetch_bytes(const char *p, const long bytes) {
#pragma GCC unroll 8
  for (long i = 0; i < bytes; i += 64) _mm_prefetch(p + i, _MM_HINT_T0);
}

/* The same, but into the L2 cache only. */
INLINE void fetch_later(const char *p, const long bytes) {
#pragma GCC unroll 16
  for (long i = 0; i < bytes; i += 64) _mm_prefetch(p + i, _MM_HINT_T1);
}

/* The lower or the upper four bits of bytes. */
INLINE integers nibbles(const uint8_t *p, int upper) {
  integers bytes = unsigned_bytes(p);
  return upper ? down(bytes, 4) : both(bytes, 15);
}

/* E4M3: its exponent and mantissa in the places of F32's make a number 2^120 times too small. */
INLINE lanes from_e4m3_codes(integers bytes) {
  integers number = either(up(both(bytes, 0x80), 24), up(both(bytes, 0x7f), 20));
  return mul(as_float(number), all(0x1p120f));
}

INLINE lanes from_e4m3(const uint8_t *p) { return from_e4m3_codes(unsigned_bytes(p)); }

INLINE float sum_of(lanes x) {
  __m256 eight = halves_added(x);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* The sums of four vectors. */
INLINE __m128 sums_of(lanes a, lanes b, lanes c, lanes d) {
  __m256 ab = _mm256_hadd_ps(halves_added(a), halves_added(b));
  __m256 cd = _mm256_hadd_ps(halves_added(c), halves_added(d));
  __m256 all_four = _mm256_hadd_ps(ab, cd);
  return _mm_add_ps(_mm256_castps256_ps128(all_four), _mm256_extractf128_ps(all_four, 1));
}

INLINE float largest_of(lanes x) {
  __m256 eight = halves_compared(x);
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#endif
