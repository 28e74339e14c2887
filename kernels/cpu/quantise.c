/* Rows of activations as bytes, for products in integers. */
#include "integers.h"

/* Below this, what is divided by the largest number of a run would be infinite, and a scale subnormal. */
#define SMALLEST 0x1p-119f

#define INFINITE 0x7f800000

/* 16 activations as codes; their scale. */
INLINE float quantised(__m512 x, int8_t *codes) {
  /* as integers sizes compare as they do as numbers, and infinity and NaN are the largest */
  __m512i size = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
  int32_t bits = _mm512_reduce_max_epi32(size);
  float largest;
  __builtin_memcpy(&largest, &bits, sizeof largest);
  int plain = bits < INFINITE && largest >= SMALLEST;
  __m512 scaled = mul(x, all(plain ? 127 / largest : 0));
  __m512i whole = _mm512_maskz_cvtps_epi32(plain ? 0xffff : 0, scaled);
  _mm_storeu_si128((__m128i *)codes, _mm512_cvtsepi32_epi8(whole));
  return bits >= INFINITE ? __builtin_nanf("") : plain ? largest / 127 : 0;
}

INLINE void quantised_tile(const float *x, long columns, struct activations *out) {
  int8_t codes[TILE] = {0};
  float scales[2][16] = {{0}};
  for (long c = 0; c < TILE && c < columns; c += 16) {
    __m512 numbers = columns - c >= 16 ? load(x + c) : load_first(x + c, columns - c);
    scales[c / 16 % 2][c / 32] = quantised(numbers, codes + c);
  }
  __m512i v[VECTORS];
  tile_of_bytes((const char *)codes, TILE, v);
  for (long i = 0; i < VECTORS; i++) _mm512_storeu_si512(out->codes[i], v[i]);
  for (long half = 0; half < 2; half++) {
    __m512i sum = _mm512_setzero_si512();
    for (long i = 4 * half; i < 4 * half + 4; i++)
      sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), v[i]);
    sum = _mm512_sub_epi32(_mm512_setzero_si512(), sum);
    __m512 by = _mm512_permutexvar_ps(run_of_lane(), load(scales[half]));
    _mm512_storeu_si512(out->starts[EIGHT][half], _mm512_slli_epi32(sum, 3));
    _mm512_storeu_si512(out->starts[HIGH_BIT][half], _mm512_slli_epi32(sum, 7));
    store(out->scales[half], by);
    store(out->totals[half], mul(_mm512_cvtepi32_ps(sum), by));
  }
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
