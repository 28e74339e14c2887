/* Attention of some query heads over a part of the positions: scores, weights, weighted values. */
#ifndef MILLRACE_HEADS_H
#define MILLRACE_HEADS_H

#include "functions.h"
#include "scores.h"

/* Vectors of values that are summed at a time. */
#define COLUMNS 4

/*
 * Where a query's results of some positions lie: the largest score, the sum of all
 * e^(score - largest), and the sums of the values weighted by these.
 */
#define LARGEST 0
#define TOTAL 1
#define VALUES 16

/* Numbers that one query's results take. */
INLINE long result_width(const struct attention *a) { return VALUES + whole_lanes(a->head_dim); }

/* Leaves e^(score - largest) in the scores; puts the largest and the sum into the result. */
INLINE void softmax(float *scores, long count, float cap, float *result) {
  lanes most = all(-3.40282347e38f); /* so that a part of infinite scores has no weight */
  for (long i = 0; cap > 0 && i < count; i += LANES) {
    long n = count - i < LANES ? count - i : LANES;
    lanes score = load_first(scores + i, n);
    store_first(scores + i, mul(all(cap), tanh_of(over(score, all(cap)))), n);
  }
  long whole = count / LANES * LANES;
  for (long i = 0; i < whole; i += LANES) most = larger(most, load(scores + i));
  for (long i = whole; i < count; i++) most = larger(most, all(scores[i]));
  result[LARGEST] = largest_of(most);
  lanes largest = all(result[LARGEST]), sum = all(0);
  for (long i = 0; i < whole; i += LANES) {
    lanes weight = exp_of(sub(load(scores + i), largest));
    store(scores + i, weight);
    sum = add(sum, weight);
  }
  if (whole < count) {
    lanes weight = exp_of(sub(load_first(scores + whole, count - whole), largest));
    store_first(scores + whole, weight, count - whole);
    sum = add(sum, load_first(scores + whole, count - whole));
  }
  result[TOTAL] = sum_of(sum);
}

/* How many vectors are read at once. */
INLINE int columns_read(enum kv_type type, const int columns) {
  return reads_pairs(type) && columns % 2 == 0 ? 2 : 1;
}

/* Vectors of a token's values; of the last of a head only `width` numbers are there. */
INLINE void read_columns(enum kv_type type, const char *v, int whole, long width, lanes *x,
                         const int columns) {
#pragma GCC unroll 4
  for (int c = 0; c < columns; c += columns_read(type, columns)) {
    const char *p = v + c * LANES * bytes_of(type);
    if (columns_read(type, columns) == 2) cached_pair(p, x + c);
    else x[c] = whole ? cached(type, p) : last_cached(type, p, width);
  }
}

INLINE void store_columns(enum kv_type type, float *to, const lanes *sums, const int columns) {
#pragma GCC unroll 4
  for (int c = 0; c < columns; c += columns_read(type, columns))
    if (columns_read(type, columns) == 2) store_pair(to + c * LANES, sums[c], sums[c + 1]);
    else store(to + c * LANES, sums[c]);
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
  for (long run = 0, position = t->first; position <= t->last; run++) {
    const char *head = t->runs[run] + behind;
    for (long end = end_of_run(t, position); position < end; position++) {
      const char *v = head + at * bytes_of(type);
      float scale = scale_of(t->a, type, head);
      lanes x[COLUMNS];
      read_columns(type, v, whole, width, x, columns);
#pragma GCC unroll 4
      for (int q = 0; q < queries; q++) {
        lanes weight = all(scores[q * stride + position - t->first] * scale);
#pragma GCC unroll 4
        for (int c = 0; c < columns; c++) sums[q][c] = fma_(weight, x[c], sums[q][c]);
      }
      head += head_bytes(t->a, type);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < queries; q++) {
    float *to = results + q * result_width(t->a) + VALUES + at;
    store_columns(type, to, sums[q], columns);
  }
}

/* Fetches the keys, or the values, of some tokens of a run; says where those of the next one lie. */
INLINE const char *fetch(const struct task *t, enum kv_type type, const char *head, long tokens) {
  for (long i = 0; i < tokens; i++, head += head_bytes(t->a, type))
    fetch_later(head, head_bytes(t->a, type));
  return head;
}

/*
 * Attends with `queries` of the task's query heads. With the first of them, a few tokens at a time,
 * fetches the values of a run while its keys are met, and the keys of the next one.
 */
INLINE void some_heads(const struct task *t, enum kv_type type, long query, float *results,
                       const int queries) {
  int fetching = query == 0 && t->fetching;
  for (long run = 0, position = t->first; position <= t->last; run++) {
    const char *k = t->runs[run];
    long end = end_of_run(t, position);
    const char *values = k + values_behind(t->s, t->a, type);
    int more = fetching && end <= t->last;
    const char *next = more ? t->runs[run + 1] : 0;
    long left = more ? end_of_run(t, end) - end : 0;
    for (; position < end; position += KEYS, k += KEYS * head_bytes(t->a, type)) {
      long keys = end - position < KEYS ? end - position : KEYS;
      if (fetching) values = fetch(t, type, values, keys);
      if (left > 0) next = fetch(t, type, next, left < KEYS ? left : KEYS);
      left -= KEYS;
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
