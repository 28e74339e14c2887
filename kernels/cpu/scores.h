/* Scores of some query heads: products of a row's queries and cached keys. */
#ifndef MILLRACE_SCORES_H
#define MILLRACE_SCORES_H

#include "cache.h"

/* Keys and query heads of a block of products: all sums in registers. */
#define KEYS 4
#define QUERIES (LANES / 4)

/* One key-value head of a row. */
struct task {
  const struct step *s;
  const struct attention *a;
  long row;
  long kv_head;
  long first; /* position that is attended to */
  long last;
  long first_end;    /* behind the last position of the first run */
  const char **runs; /* keys of each run: find_runs() */
  int fetching;      /* whether no row before it has met the same keys and values */
  float *queries; /* of the heads that share it, each filled up with zeros to whole vectors; where
                     keys are read in pairs, even numbers of 32 before odd ones */
  float *scores;  /* of QUERIES heads */
};

INLINE long whole_lanes(long numbers) { return (numbers + LANES - 1) / LANES * LANES; }

INLINE const float *query_of(const struct task *t, long query) {
  return t->queries + query * whole_lanes(t->a->head_dim);
}

INLINE float *scores_of(const struct task *t, long query) {
  return t->scores + query % QUERIES * whole_lanes(t->last - t->first + 1);
}

/*
 * Finds the task's keys of each run of positions that lie one after the other: in a block of the
 * cache, as far as its first and last position. The values lie `values_behind` further.
 */
INLINE void find_runs(struct task *t, enum kv_type type) {
  long size = t->s->block_size, position = t->first, run = 0;
  t->first_end = position - position % size + size;
  long to_head = t->kv_head * next_head(t->s, t->a, type);
  for (long end = t->first_end; position <= t->last; position = end, end += size)
    t->runs[run++] = keys_of(t->s, t->a, type, t->row, position) + to_head;
}

/* Behind the last position of a run that begins with some position. */
INLINE long end_of_run(const struct task *t, long position) {
  long end = position == t->first ? t->first_end : position + t->s->block_size;
  return end > t->last + 1 ? t->last + 1 : end;
}

#if LANES == 16

/* Four sums of four numbers each, in the order in which sum_of() begins. */
INLINE lanes fours_of(lanes a, lanes b, lanes c, lanes d) {
  lanes ab = add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  lanes cd = add(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
  return add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
}

INLINE lanes pairs_of(lanes a, lanes b) {
  __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
  return add(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)),
             _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}

/* The sums of products, scaled: of each query those of all keys, one after the other. */
INLINE void put_scores(const struct task *t, lanes sums[KEYS][QUERIES], const float *scales,
                       long query, long position, long keys, const int queries) {
  lanes of[KEYS];
#pragma GCC unroll 4
  for (int k = 0; k < KEYS; k++) of[k] = fours_of(sums[k][0], sums[k][1], sums[k][2], sums[k][3]);
  lanes x = pairs_of(of[0], of[1]), y = pairs_of(of[2], of[3]);
  lanes scores = mul(add(_mm512_shuffle_ps(x, y, 0x88), _mm512_shuffle_ps(x, y, 0xdd)),
                     _mm512_broadcast_f32x4(_mm_loadu_ps(scales)));
  __mmask8 mask = (__mmask8)((1 << keys) - 1);
#pragma GCC unroll 4
  for (int q = 0; q < queries; q++) {
    float *to = scores_of(t, query + q) + position - t->first;
    _mm_mask_storeu_ps(to, mask, _mm512_castps512_ps128(scores));
    scores = _mm512_shuffle_f32x4(scores, scores, 0x39);
  }
}

#else

INLINE void put_scores(const struct task *t, lanes sums[KEYS][QUERIES], const float *scales,
                       long query, long position, long keys, const int queries) {
  for (int q = 0; q < queries; q++)
    for (long k = 0; k < keys; k++)
      scores_of(t, query + q)[position - t->first + k] = sum_of(sums[k][q]) * scales[k];
}

#endif

/* Products of some queries and up to KEYS keys that lie in a run from `k` on. */
INLINE void multiply(const struct task *t, enum kv_type type, long query, const char *k,
                     long position, long keys, const int queries) {
  lanes sums[KEYS][QUERIES];
  const char *key[KEYS];
  float scales[KEYS];
#pragma GCC unroll 4
  for (int n = 0; n < KEYS; n++) {
    key[n] = k + (n < keys ? n : keys - 1) * head_bytes(t->a, type);
    scales[n] = (float)t->a->scale * scale_of(t->a, type, key[n]);
#pragma GCC unroll 4
    for (int q = 0; q < QUERIES; q++) sums[n][q] = all(0);
  }
  const float *from = query_of(t, query);
  long stride = whole_lanes(t->a->head_dim), width = t->a->head_dim;
  long i = 0;
  for (; reads_pairs(type) && i + 2 * LANES <= width; i += 2 * LANES) {
    lanes even[QUERIES], odd[QUERIES];
#pragma GCC unroll 4
    for (int q = 0; q < queries; q++) {
      even[q] = load(from + q * stride + i);
      odd[q] = load(from + q * stride + i + LANES);
    }
#pragma GCC unroll 4
    for (int n = 0; n < KEYS; n++) {
      lanes x[2];
      cached_pair(key[n] + i * bytes_of(type), x);
#pragma GCC unroll 4
      for (int q = 0; q < queries; q++)
        sums[n][q] = fma_(odd[q], x[1], fma_(even[q], x[0], sums[n][q]));
    }
  }
  for (; i < width; i += LANES) {
    lanes numbers[QUERIES];
#pragma GCC unroll 4
    for (int q = 0; q < queries; q++) numbers[q] = load(from + q * stride + i);
#pragma GCC unroll 4
    for (int n = 0; n < KEYS; n++) {
      const char *p = key[n] + i * bytes_of(type);
      lanes x = i + LANES <= width ? cached(type, p) : last_cached(type, p, width - i);
#pragma GCC unroll 4
      for (int q = 0; q < queries; q++) sums[n][q] = fma_(numbers[q], x, sums[n][q]);
    }
  }
  put_scores(t, sums, scales, query, position, keys, queries);
}

#endif
