/* The paged KV cache: where keys and values lie, and the numbers they are stored as. */
#ifndef MILLRACE_CACHE_H
#define MILLRACE_CACHE_H

#include "lanes.h"

enum kv_type { KV_F32 = 0, KV_BF16 = 1, KV_F16 = 2 };

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

INLINE long bytes_of(enum kv_type type) { return type == KV_F32 ? 4 : 2; }

/* Address of a token's keys in all heads; its values lie `values_behind` further. */
INLINE char *keys_of(const struct step *s, const struct attention *a, long row, long position) {
  long block = s->blocks[s->tables[row] + position / s->block_size];
  long token = (position % s->block_size) * a->kv_heads * a->head_dim * bytes_of(s->kv_type);
  return (char *)s->slabs[block / s->slab_blocks] + block % s->slab_blocks * s->block_bytes +
         a->layer_bytes + token;
}

INLINE long values_behind(const struct step *s, const struct attention *a) {
  return s->block_size * a->kv_heads * a->head_dim * bytes_of(s->kv_type);
}

INLINE uint16_t to_bf16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

INLINE void put(enum kv_type type, char *to, const float *from, long count) {
  switch (type) {
    case KV_F32: __builtin_memcpy(to, from, 4 * count); break;
    case KV_BF16:
      for (long i = 0; i < count; i++) ((uint16_t *)to)[i] = to_bf16(from[i]);
      break;
    default:
      for (long i = 0; i < count; i++)
        ((uint16_t *)to)[i] = _cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT);
  }
}

INLINE lanes cached(enum kv_type type, const char *p) {
  return type == KV_F32    ? load((const float *)p)
         : type == KV_BF16 ? from_bf16((const uint16_t *)p)
                           : from_f16((const uint16_t *)p);
}

INLINE lanes last_cached(enum kv_type type, const char *p, long count) {
  char numbers[LANES * 4] = {0};
  __builtin_memcpy(numbers, p, count * bytes_of(type));
  return cached(type, numbers);
}

#endif
