/* Rows of activations as bytes, for products in integers. */
#include "integers.h"

/* Below this, what is divided by the largest number of a run would be infinite, and a scale subnormal. */
#define SMALLEST 0x1p-119f

#define INFINITE 0x7f800000

INLINE __m512i sizes(__m512 x) {
  return _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
}

/* A run of activations as codes; its scale. */
INLINE float quantised_run(const float *x, long columns, int8_t *codes) {
  __m512 low = columns >= 16 ? _mm512_loadu_ps(x) : load_first(x, columns);
  __m512 high = columns >= 32 ? _mm512_loadu_ps(x + 16)
              : columns > 16  ? load_first(x + 16, columns - 16)
                              : _mm512_setzero_ps();
  /* as integers sizes compare as they do as numbers, and infinity and NaN are the largest */
  int32_t bits = _mm512_reduce_max_epi32(_mm512_max_epi32(sizes(low), sizes(high)));
  float largest;
  __builtin_memcpy(&largest, &bits, sizeof largest);
  int plain = bits < INFINITE && largest >= SMALLEST;
  __m512 by = _mm512_set1_ps(plain ? 127 / largest : 0);
  __mmask16 mask = plain ? 0xffff : 0;
  __m512i a = _mm512_maskz_cvtps_epi32(mask, _mm512_mul_ps(low, by));
  __m512i b = _mm512_maskz_cvtps_epi32(mask, _mm512_mul_ps(high, by));
  _mm_storeu_si128((__m128i *)codes, _mm512_cvtsepi32_epi8(a));
  _mm_storeu_si128((__m128i *)(codes + 16), _mm512_cvtsepi32_epi8(b));
  return bits >= INFINITE ? __builtin_nanf("") : plain ? largest / 127 : 0;
}

INLINE void quantised_tile(const float *x, long columns, struct activations *out) {
  int8_t codes[TILE] = {0};
  float scales[16] = {0};
  for (long run = 0; run < 16 && 32 * run < columns; run++)
    scales[run] = quantised_run(x + 32 * run, columns - 32 * run, codes + 32 * run);
  __m512i v[VECTORS], first = _mm512_setzero_si512(), second = first;
  const __m512i ones = _mm512_set1_epi8(1);
  tile_of_bytes((const char *)codes, TILE, v);
  for (long i = 0; i < VECTORS; i++) _mm512_storeu_si512(out->codes[i], v[i]);
  for (long i = 0; i < 4; i++) {
    first = _mm512_dpbusd_epi32(first, ones, v[i]);
    second = _mm512_dpbusd_epi32(second, ones, v[4 + i]);
  }
  _mm512_storeu_si512(out->sums[0], _mm512_sub_epi32(_mm512_setzero_si512(), first));
  _mm512_storeu_si512(out->sums[1], _mm512_sub_epi32(_mm512_setzero_si512(), second));
  _mm512_storeu_ps(out->scales, _mm512_permutexvar_ps(run_of_lane(), _mm512_loadu_ps(scales)));
}

/* Rows first to end - 1 of x; rows of `out` are tiles_of(columns) tiles long. */
void KERNEL(quantise_rows)(const float *x, long x_stride, struct activations *out, long columns,
                           long first, long end) {
  long tiles = tiles_of(columns);
  for (long row = first; row < end; row++)
    for (long tile = 0; tile < tiles; tile++)
      quantised_tile(x + row * x_stride + tile * TILE, columns - tile * TILE,
                     out + row * tiles + tile);
}
