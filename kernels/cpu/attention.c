/*
 * Causal attention over the paged KV cache, one row and one key-value head at a time, for prefill
 * and decode alike: so a row's bits depend on its own sequence alone.
 */
#include "functions.h"

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

INLINE void rotate(const struct attention *a, const float *cosines, const float *sines, long row,
                   const float *in, float *out) {
  const float *cosine = cosines + row * a->pairs, *sine = sines + row * a->pairs;
  long step = a->interleaved ? 2 : 1, distance = a->interleaved ? 1 : a->pairs;
  for (long i = 2 * a->pairs; i < a->head_dim; i++) out[i] = in[i];
  for (long i = 0; i < a->pairs; i++) {
    float x = in[i * step], y = in[i * step + distance];
    out[i * step] = x * cosine[i] - y * sine[i];
    out[i * step + distance] = y * cosine[i] + x * sine[i];
  }
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

/* Rotates the keys of rows first to end - 1 and puts them and the values into the cache. */
void KERNEL(append)(const struct step *s, const struct attention *a, const float *k, long k_stride,
                    const float *v, long v_stride, const float *cosines, const float *sines,
                    float *scratch, long first, long end) {
  for (long row = first; row < end; row++) {
    char *to = keys_of(s, a, row, s->positions[row]);
    for (long head = 0; head < a->kv_heads; head++) {
      long at = head * a->head_dim;
      rotate(a, cosines, sines, row, k + row * k_stride + at, scratch);
      put(s->kv_type, to + at * bytes_of(s->kv_type), scratch, a->head_dim);
    }
    put(s->kv_type, to + values_behind(s, a), v + row * v_stride, a->kv_heads * a->head_dim);
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

INLINE float dot(enum kv_type type, const float *q, const char *k, long width) {
  lanes sum = all(0);
  long i = 0;
  for (; i + LANES <= width; i += LANES)
    sum = fma_(load(q + i), cached(type, k + i * bytes_of(type)), sum);
  if (i < width)
    sum = fma_(load_first(q + i, width - i),
               last_cached(type, k + i * bytes_of(type), width - i), sum);
  return sum_of(sum);
}

/* Leaves e^(score - largest) in the scores; returns their sum. */
INLINE float softmax(float *scores, long count, float cap) {
  lanes most = all(-__builtin_inff());
  for (long i = 0; i < count; i += LANES) {
    long n = count - i < LANES ? count - i : LANES;
    lanes score = load_first(scores + i, n);
    if (cap > 0) score = mul(all(cap), tanh_of(over(score, all(cap))));
    if (cap > 0) store_first(scores + i, score, n);
    if (n == LANES)
      most = larger(most, score);
    else
      for (long j = i; j < count; j++) most = larger(most, all(scores[j]));
  }
  lanes largest = all(largest_of(most)), sum = all(0);
  for (long i = 0; i < count; i += LANES) {
    long n = count - i < LANES ? count - i : LANES;
    lanes weight = exp_of(sub(load_first(scores + i, n), largest));
    store_first(scores + i, weight, n);
    sum = add(sum, load_first(scores + i, n));
  }
  return sum_of(sum);
}

#define COLUMNS 4

/* `columns` vectors of the weighted sum of values, from number `at` of the head on. */
INLINE void weigh(const struct step *s, const struct attention *a, enum kv_type type, long row,
                  long first, long last, long at, const float *scores, float total, float *out,
                  const int columns) {
  lanes sums[COLUMNS];
#pragma GCC unroll 4
  for (int c = 0; c < columns; c++) sums[c] = all(0);
  long token_bytes = a->kv_heads * a->head_dim * bytes_of(type), behind = values_behind(s, a);
  for (long t = first; t <= last;) {
    const char *v = keys_of(s, a, row, t) + behind + at * bytes_of(type);
    long end = t - t % s->block_size + s->block_size;
    for (end = end > last + 1 ? last + 1 : end; t < end; t++, v += token_bytes) {
      lanes weight = all(scores[t - first]);
#pragma GCC unroll 4
      for (int c = 0; c < columns; c++)
        sums[c] = fma_(weight, cached(type, v + c * LANES * bytes_of(type)), sums[c]);
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < columns; c++) store(out + c * LANES, over(sums[c], all(total)));
}

INLINE void weigh_rest(const struct step *s, const struct attention *a, enum kv_type type, long row,
                       long first, long last, long at, const float *scores, float total, float *out,
                       long count) {
  lanes sum = all(0);
  long behind = values_behind(s, a);
  for (long t = first; t <= last; t++) {
    const char *v = keys_of(s, a, row, t) + behind + at * bytes_of(type);
    sum = fma_(all(scores[t - first]), last_cached(type, v, count), sum);
  }
  store_first(out, over(sum, all(total)), count);
}

INLINE void head_of(const struct step *s, const struct attention *a, enum kv_type type, long row,
                    long kv_head, const float *query, float *scores, float *out) {
  long last = s->positions[row];
  long first = a->window && last - a->window + 1 > 0 ? last - a->window + 1 : 0;
  long at = kv_head * a->head_dim, width = bytes_of(type);
  long token_bytes = a->kv_heads * a->head_dim * width;
  for (long t = first; t <= last;) {
    const char *k = keys_of(s, a, row, t) + at * width;
    long end = t - t % s->block_size + s->block_size;
    for (end = end > last + 1 ? last + 1 : end; t < end; t++, k += token_bytes)
      scores[t - first] = dot(type, query, k, a->head_dim) * (float)a->scale;
  }
  float total = softmax(scores, last - first + 1, (float)a->cap);
  long c = 0;
  for (; c + COLUMNS * LANES <= a->head_dim; c += COLUMNS * LANES)
    weigh(s, a, type, row, first, last, at + c, scores, total, out + c, COLUMNS);
  for (; c + LANES <= a->head_dim; c += LANES)
    weigh(s, a, type, row, first, last, at + c, scores, total, out + c, 1);
  if (c < a->head_dim)
    weigh_rest(s, a, type, row, first, last, at + c, scores, total, out + c, a->head_dim - c);
}

/*
 * Attends with all query heads of tasks first to end - 1; task i is key-value head i % kv_heads of
 * row i / kv_heads. `scratch` holds a head and the scores of the longest row.
 */
void KERNEL(attend)(const struct step *s, const struct attention *a, const float *q, long q_stride,
                    float *out, long out_stride, const float *cosines, const float *sines,
                    float *scratch, long first, long end) {
  long group = a->heads / a->kv_heads;
  for (long task = first; task < end; task++) {
    long row = task / a->kv_heads, kv_head = task % a->kv_heads;
    for (long head = kv_head * group; head < (kv_head + 1) * group; head++) {
      long at = head * a->head_dim;
      float *scores = scratch + a->head_dim, *to = out + row * out_stride + at;
      rotate(a, cosines, sines, row, q + row * q_stride + at, scratch);
      switch (s->kv_type) {
        case KV_F32: head_of(s, a, KV_F32, row, kv_head, scratch, scores, to); break;
        case KV_BF16: head_of(s, a, KV_BF16, row, kv_head, scratch, scores, to); break;
        default: head_of(s, a, KV_F16, row, kv_head, scratch, scores, to); break;
      }
    }
  }
}
