/* Attention of some query heads over a part of the positions: scores, weights, weighted values. */
#ifndef MILLRACE_HEADS_H
#define MILLRACE_HEADS_H

#include "cache.h"
#include "functions.h"

/* Keys and query heads of a block of products: all sums in registers. */
#define KEYS 4
#define QUERIES (LANES / 4)

/* Vectors of values that are summed at a time. */
#define COLUMNS 4

/*
 * Where a query's results of some positions lie: the largest score, the sum of all
 * e^(score - largest), and the sums of the values weighted by these.
 */
#define LARGEST 0
#define TOTAL 1
#define VALUES 16

/* One key-value head of a row. */
struct task {
  const struct step *s;
  const struct attention *a;
  long row;
  long kv_head;
  long first; /* position that is attended to */
  long last;
  int fetching; /* whether no row before it has met the same keys and values */
  float *queries; /* of the heads that share it, each filled up with zeros to whole vectors */
  float *scores;  /* of QUERIES heads */
};

INLINE long whole_lanes(long numbers) { return (numbers + LANES - 1) / LANES * LANES; }

/* Numbers that one query's results take. */
INLINE long result_width(const struct attention *a) { return VALUES + whole_lanes(a->head_dim); }

INLINE const float *query_of(const struct task *t, long query) {
  return t->queries + query * whole_lanes(t->a->head_dim);
}

INLINE float *scores_of(const struct task *t, long query) {
  return t->scores + query % QUERIES * whole_lanes(t->last - t->first + 1);
}

/* The task's keys of a token; its values lie `values_behind` further. */
INLINE const char *head_of(const struct task *t, enum kv_type type, long position) {
  return keys_of(t->s, t->a, type, t->row, position) + t->kv_head * head_bytes(t->a, type);
}

/* Behind the last position of a block of the cache, or of the task. */
INLINE long end_of_run(const struct task *t, long position) {
  long end = position - position % t->s->block_size + t->s->block_size;
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
    key[n] = k + (n < keys ? n : keys - 1) * token_bytes(t->a, type);
    scales[n] = (float)t->a->scale * scale_of(t->a, type, key[n]);
#pragma GCC unroll 4
    for (int q = 0; q < QUERIES; q++) sums[n][q] = all(0);
  }
  const float *from = query_of(t, query);
  long stride = whole_lanes(t->a->head_dim), width = t->a->head_dim;
  for (long i = 0; i < width; i += LANES) {
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

/* Leaves e^(score - largest) in the scores; puts the largest and the sum into the result. */
INLINE void softmax(float *scores, long count, float cap, float *result) {
  lanes most = all(-3.40282347e38f); /* so that a part of infinite scores has no weight */
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
  result[LARGEST] = largest_of(most);
  lanes largest = all(result[LARGEST]), sum = all(0);
  for (long i = 0; i < count; i += LANES) {
    long n = count - i < LANES ? count - i : LANES;
    lanes weight = exp_of(sub(load_first(scores + i, n), largest));
    store_first(scores + i, weight, n);
    sum = add(sum, load_first(scores + i, n));
  }
  result[TOTAL] = sum_of(sum);
}

/* `columns` vectors, from number `at` of a head on, of the values weighted by the scores. */
INLINE void weigh(const struct task *t, enum kv_type type, long query, long at, float *results,
                  const int queries, const int columns) {
  lanes sums[QUERIES][COLUMNS];
#pragma GCC unroll 4
  for (int q = 0; q < queries; q++)
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) sums[q][c] = all(0);
  long width = t->a->head_dim - at, behind = values_behind(t->s, t->a, type);
  int whole = width >= columns * LANES;
  const float *scores = scores_of(t, query);
  long stride = whole_lanes(t->last - t->first + 1);
  for (long position = t->first; position <= t->last;) {
    const char *head = head_of(t, type, position) + behind;
    for (long end = end_of_run(t, position); position < end; position++) {
      const char *v = head + at * bytes_of(type);
      float scale = scale_of(t->a, type, head);
      lanes x[COLUMNS];
#pragma GCC unroll 4
      for (int c = 0; c < columns; c++)
        x[c] = whole ? cached(type, v + c * LANES * bytes_of(type)) : last_cached(type, v, width);
#pragma GCC unroll 4
      for (int q = 0; q < queries; q++) {
        lanes weight = all(scores[q * stride + position - t->first] * scale);
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++) sums[q][c] = fma_(weight, x[c], sums[q][c]);
      }
      head += token_bytes(t->a, type);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < queries; q++) {
    float *to = results + q * result_width(t->a) + VALUES + at;
#pragma GCC unroll 4
    for (int c = 0; c < columns; c++) store(to + c * LANES, sums[q][c]);
  }
}

/* Fetches the keys, or the values, of some tokens of a run; says where those of the next one lie. */
INLINE const char *fetch(const struct task *t, enum kv_type type, const char *head, long tokens) {
  for (long i = 0; i < tokens; i++, head += token_bytes(t->a, type))
    fetch_bytes(head, head_bytes(t->a, type));
  return head;
}

/*
 * Attends with `queries` of the task's query heads. With the first of them, a few tokens at a time,
 * fetches the values of a run while its keys are met, and the keys of the next one.
 */
INLINE void some_heads(const struct task *t, enum kv_type type, long query, float *results,
                       const int queries) {
  for (long position = t->first; position <= t->last;) {
    const char *k = head_of(t, type, position);
    long end = end_of_run(t, position);
    int fetching = query == 0 && t->fetching;
    const char *values = k + values_behind(t->s, t->a, type);
    const char *next = fetching && end <= t->last ? head_of(t, type, end) : 0;
    long left = next ? end_of_run(t, end) - end : 0;
    for (; position < end; position += KEYS, k += KEYS * token_bytes(t->a, type)) {
      long keys = end - position < KEYS ? end - position : KEYS;
      if (fetching) {
        values = fetch(t, type, values, keys);
        next = fetch(t, type, next, left < KEYS ? left : KEYS);
        left -= left < KEYS ? left : KEYS;
      }
      multiply(t, type, query, k, position, keys, queries);
    }
    position = end;
  }
  float *of = results + query * result_width(t->a);
  for (int q = 0; q < queries; q++)
    softmax(scores_of(t, query + q), t->last - t->first + 1, (float)t->a->cap,
            of + q * result_width(t->a));
  long at = 0, width = t->a->head_dim;
  for (; at + COLUMNS * LANES <= width; at += COLUMNS * LANES)
    weigh(t, type, query, at, of, queries, COLUMNS);
  for (; at < width; at += LANES) weigh(t, type, query, at, of, queries, 1);
}

INLINE void all_heads(const struct task *t, enum kv_type type, long group, float *results) {
  for (long query = 0; query < group; query += QUERIES) {
    switch (group - query) {
      case 1: some_heads(t, type, query, results, 1); break;
#if QUERIES == 4
      case 2: some_heads(t, type, query, results, 2); break;
      case 3: some_heads(t, type, query, results, 3); break;
#endif
      default: some_heads(t, type, query, results, QUERIES); break;
    }
  }
}

#endif
