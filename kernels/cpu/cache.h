/* The paged KV cache: where keys and values lie, and the numbers they are stored as. */
#ifndef MILLRACE_CACHE_H
#define MILLRACE_CACHE_H

#include "lanes.h"

enum kv_type { KV_F32 = 0, KV_BF16 = 1, KV_F16 = 2, KV_FP8 = 3, KV_INT8 = 4 };

/* What a step is about: filled in by engine.device.cpu.NativeStep, all fields 8 bytes wide. */
struct step {
  const int32_t *positions; /* of each row in its sequence */
  const int64_t *tables;    /* of each row: where the blocks of its sequence begin in `blocks` */
  const int32_t *blocks;
  const int64_t *slabs; /* addresses of runs of blocks */
  int64_t slab_blocks;
  int64_t block_bytes; /* of a block, all layers */
  int64_t block_size;  /* tokens */
  int64_t kv_type;
};

/* What a layer's attention is like: filled in by NativeAttention. */
struct attention {
  int64_t layer_bytes; /* from the start of a block to the layer's keys */
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t window; /* 0: all positions */
  int64_t pairs;  /* that are rotated */
  int64_t interleaved;
  double scale;
  double cap; /* 0: none */
};

/* Bytes of a number. */
INLINE long bytes_of(enum kv_type type) {
  return type == KV_F32 ? 4 : type == KV_BF16 || type == KV_F16 ? 2 : 1;
}

/* Bytes of a token's numbers of one head. Behind those of KV_INT8 lies their scale. */
INLINE long head_bytes(const struct attention *a, enum kv_type type) {
  return a->head_dim * bytes_of(type) + (type == KV_INT8 ? 4 : 0);
}

/* From the keys, or the values, that a block has of one head to those of the next. */
INLINE long next_head(const struct step *s, const struct attention *a, enum kv_type type) {
  return s->block_size * head_bytes(a, type);
}

/*
 * Address of a token's keys in the first head; in the others they lie next_head() further, those of
 * the block's next token head_bytes(), its values values_behind().
 */
INLINE char *keys_of(const struct step *s, const struct attention *a, enum kv_type type, long row,
                     long position) {
  long block = s->blocks[s->tables[row] + position / s->block_size];
  return (char *)s->slabs[block / s->slab_blocks] + block % s->slab_blocks * s->block_bytes +
         a->layer_bytes + position % s->block_size * head_bytes(a, type);
}

INLINE long values_behind(const struct step *s, const struct attention *a, enum kv_type type) {
  return a->kv_heads * next_head(s, a, type);
}

INLINE uint16_t to_bf16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* Rounded to nearest even; beyond the largest number that one stands. */
INLINE uint8_t to_e4m3(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  uint32_t sign = bits >> 24 & 0x80;
  float size = __builtin_fabsf(x);
  if (size != size) return sign | 0x7f;
  if (size >= 448) return sign | 0x7e;
  int exponent = (int)(bits >> 23 & 255) - 127;
  exponent = exponent < -6 ? -6 : exponent;
  int steps = (int)__builtin_rintf(size * __builtin_ldexpf(1, 3 - exponent));
  return sign | (((exponent + 6) << 3) + steps);
}

INLINE void put_int8(int8_t *to, const float *from, long count) {
  float largest = 0;
  int finite = 1;
  for (long i = 0; i < count; i++) {
    float size = __builtin_fabsf(from[i]);
    finite &= size < __builtin_inff();
    largest = size > largest ? size : largest;
  }
  float scale = finite ? largest / 127 : __builtin_nanf("");
  for (long i = 0; i < count; i++) {
    float code = scale == 0 || !finite ? 0 : __builtin_rintf(from[i] / scale);
    to[i] = (int8_t)(code < -127 ? -127 : code > 127 ? 127 : code);
  }
  __builtin_memcpy(to + count, &scale, sizeof scale);
}

/* The numbers of a head, as KvDtype.encode rounds them. */
INLINE void put_head(enum kv_type type, char *to, const float *from, long count) {
  switch (type) {
    case KV_F32: __builtin_memcpy(to, from, 4 * count); break;
    case KV_BF16:
      for (long i = 0; i < count; i++) ((uint16_t *)to)[i] = to_bf16(from[i]);
      break;
    case KV_F16:
      for (long i = 0; i < count; i++)
        ((uint16_t *)to)[i] = _cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT);
      break;
    case KV_FP8:
      for (long i = 0; i < count; i++) ((uint8_t *)to)[i] = to_e4m3(from[i]);
      break;
    case KV_INT8: put_int8((int8_t *)to, from, count); break;
  }
}

/* A vector of a head's numbers, of KV_INT8 without their scale. */
INLINE lanes cached(enum kv_type type, const char *p) {
  switch (type) {
    case KV_F32: return load((const float *)p);
    case KV_BF16: return from_bf16((const uint16_t *)p);
    case KV_F16: return from_f16((const uint16_t *)p);
    case KV_FP8: return nan_beyond(from_e4m3((const uint8_t *)p), 448);
    default: return from_int8((const int8_t *)p);
  }
}

INLINE lanes last_cached(enum kv_type type, const char *p, long count) {
  char numbers[LANES * 4] = {0};
  __builtin_memcpy(numbers, p, count * bytes_of(type));
  return cached(type, numbers);
}

/*
 * Whether two vectors are best read as one, which has the even numbers in the upper halves of its
 * words once these are shifted, and the odd ones where they are.
 */
INLINE int reads_pairs(enum kv_type type) { return LANES == 16 && type == KV_BF16; }

#if LANES == 16

/* The even and the odd ones of 32 numbers in BF16. */
INLINE void cached_pair(const char *p, lanes *x) {
  __m512i both = _mm512_loadu_si512(p);
  x[0] = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  x[1] = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32((int)0xffff0000)));
}

/* Puts what belongs to the even and the odd ones of 32 numbers in their order. */
INLINE void store_pair(float *to, lanes even, lanes odd) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
  store(to, _mm512_permutex2var_ps(even, low, odd));
  store(to + LANES, _mm512_permutex2var_ps(even, high, odd));
}

/* Puts the even ones of 32 numbers before the odd ones. */
INLINE void part_pair(float *numbers) {
  const __m512i even =
      _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
  lanes low = load(numbers), high = load(numbers + LANES);
  store(numbers, _mm512_permutex2var_ps(low, even, high));
  store(numbers + LANES, _mm512_permutex2var_ps(low, odd, high));
}

#else

INLINE void cached_pair(const char *p, lanes *x) { (void)p, (void)x; }
INLINE void store_pair(float *to, lanes even, lanes odd) { (void)to, (void)even, (void)odd; }
INLINE void part_pair(float *numbers) { (void)numbers; }

#endif

/* What a token's numbers of a head are to be multiplied with. */
INLINE float scale_of(const struct attention *a, enum kv_type type, const char *head) {
  float scale = 1;
  if (type == KV_INT8) __builtin_memcpy(&scale, head + a->head_dim, sizeof scale);
  return scale;
}

#endif
