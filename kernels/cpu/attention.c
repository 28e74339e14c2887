/*
 * Causal attention over the paged KV cache, one row and one key-value head at a time, for prefill
 * and decode alike: so a row's bits depend on its own sequence alone. The query heads that share a
 * key-value head meet its keys and values together, some at a time; how many at a time changes no
 * bits. Positions are met in parts, from every PART-th on; what parts give is merged in their order,
 * so it changes none either whether one thread meets all of them.
 */
#include "heads.h"

/* Positions of a part. */
#define PART 512

INLINE void rotate_pairs(const struct attention *a, const float *cosine, const float *sine,
                         const float *in, float *out, const long step, const long distance) {
#pragma GCC ivdep
  for (long i = 0; i < a->pairs; i++) {
    float x = in[i * step], y = in[i * step + distance];
    out[i * step] = x * cosine[i] - y * sine[i];
    out[i * step + distance] = y * cosine[i] + x * sine[i];
  }
}

/* `in` and `out` do not overlap. */
INLINE void rotate(const struct attention *a, const float *cosines, const float *sines, long row,
                   const float *in, float *out) {
  const float *cosine = cosines + row * a->pairs, *sine = sines + row * a->pairs;
  for (long i = 2 * a->pairs; i < a->head_dim; i++) out[i] = in[i];
  if (a->interleaved) rotate_pairs(a, cosine, sine, in, out, 2, 1);
  else rotate_pairs(a, cosine, sine, in, out, 1, a->pairs);
}

/* Rotates the keys of rows first to end - 1 and puts them and the values into the cache. */
void KERNEL(append)(const struct step *s, const struct attention *a, const float *k, long k_stride,
                    const float *v, long v_stride, const float *cosines, const float *sines,
                    float *scratch, long first, long end) {
  for (long row = first; row < end; row++) {
    char *to = keys_of(s, a, s->kv_type, row, s->positions[row]);
    for (long head = 0; head < a->kv_heads; head++, to += next_head(s, a, s->kv_type)) {
      long at = head * a->head_dim;
      rotate(a, cosines, sines, row, k + row * k_stride + at, scratch);
      put_head(s->kv_type, to, scratch, a->head_dim);
      put_head(s->kv_type, to + values_behind(s, a, s->kv_type), v + row * v_stride + at,
               a->head_dim);
    }
  }
}

#define ALL_HEADS_IN(type)                                                                         \
  APART void all_heads_in_##type(struct task *t, long group, float *results) {                     \
    find_runs(t, type);                                                                            \
    all_heads(t, type, group, results);                                                            \
  }

ALL_HEADS_IN(KV_F32)
ALL_HEADS_IN(KV_BF16)
ALL_HEADS_IN(KV_F16)
ALL_HEADS_IN(KV_FP8)
ALL_HEADS_IN(KV_INT8)

/* Results of all query heads of a task, of the part that holds some positions. */
static void attend_part(struct task *t, long oldest, long last, long part, float *results) {
  t->first = oldest > part * PART ? oldest : part * PART;
  t->last = last < part * PART + PART - 1 ? last : part * PART + PART - 1;
  const char *runs[PART];
  t->runs = runs;
  long group = t->a->heads / t->a->kv_heads;
  switch ((enum kv_type)t->s->kv_type) {
    case KV_F32: all_heads_in_KV_F32(t, group, results); break;
    case KV_BF16: all_heads_in_KV_BF16(t, group, results); break;
    case KV_F16: all_heads_in_KV_F16(t, group, results); break;
    case KV_FP8: all_heads_in_KV_FP8(t, group, results); break;
    case KV_INT8: all_heads_in_KV_INT8(t, group, results); break;
  }
}

/* Adds a query's results of a part to those of the parts before it. */
INLINE void merge(float *results, const float *part, long width) {
  lanes largest = larger(all(results[LARGEST]), all(part[LARGEST]));
  lanes by = exp_of(sub(all(results[LARGEST]), largest));
  lanes part_by = exp_of(sub(all(part[LARGEST]), largest));
  lanes total = fma_(all(results[TOTAL]), by, mul(all(part[TOTAL]), part_by));
  store_first(results + LARGEST, largest, 1);
  store_first(results + TOTAL, total, 1);
  for (long i = VALUES; i < width; i += LANES)
    store(results + i, fma_(load(results + i), by, mul(load(part + i), part_by)));
}

/* The same of all query heads of a task. */
INLINE void merge_heads(const struct attention *a, float *results, const float *part) {
  long width = result_width(a);
  for (long head = 0; head < a->heads / a->kv_heads; head++, results += width, part += width)
    merge(results, part, width);
}

/* The weighted means that a task's query heads give. */
INLINE void put_means(const struct attention *a, const float *results, float *out) {
  for (long head = 0; head < a->heads / a->kv_heads; head++, results += result_width(a))
    for (long i = 0; i < a->head_dim; i += LANES) {
      long n = a->head_dim - i < LANES ? a->head_dim - i : LANES;
      store_first(out + head * a->head_dim + i,
                  over(load(results + VALUES + i), all(results[TOTAL])), n);
    }
}

/* The oldest position that a row attends to. */
INLINE long oldest_of(const struct attention *a, long last) {
  return a->window && last - a->window + 1 > 0 ? last - a->window + 1 : 0;
}

/* Task `number` with its query heads rotated: key-value head number % kv_heads of a row. */
INLINE struct task task_of(const struct step *s, const struct attention *a, long number,
                           const float *q, long q_stride, const float *cosines,
                           const float *sines, float *scratch) {
  long group = a->heads / a->kv_heads, padded = whole_lanes(a->head_dim);
  long row = number / a->kv_heads, kv_head = number % a->kv_heads;
  const float *from = q + row * q_stride + kv_head * group * a->head_dim;
  for (long head = 0; head < group; head++) {
    float *query = scratch + head * padded;
    rotate(a, cosines, sines, row, from + head * a->head_dim, query);
    for (long i = a->head_dim; i < padded; i++) query[i] = 0;
    for (long i = 0; reads_pairs(s->kv_type) && i + 2 * LANES <= a->head_dim; i += 2 * LANES)
      part_pair(query + i);
  }
  int fetching = row == 0 || s->tables[row] != s->tables[row - 1];
  return (struct task){.s = s,
                       .a = a,
                       .row = row,
                       .kv_head = kv_head,
                       .fetching = fetching,
                       .queries = scratch,
                       .scores = scratch + group * padded};
}

INLINE float *means_of(const struct attention *a, long task, float *out, long out_stride) {
  long row = task / a->kv_heads, kv_head = task % a->kv_heads;
  return out + row * out_stride + kv_head * (a->heads / a->kv_heads) * a->head_dim;
}

/*
 * Attends with all query heads of tasks first to end - 1; task i is key-value head i % kv_heads of
 * row i / kv_heads. `scratch` holds twice a task's results, its query heads, and QUERIES rows of
 * scores, of a part or of all positions if they are fewer; query heads and rows of scores are filled
 * up to a multiple of 16 numbers.
 */
void KERNEL(attend)(const struct step *s, const struct attention *a, const float *q, long q_stride,
                    float *out, long out_stride, const float *cosines, const float *sines,
                    float *scratch, long first, long end) {
  long size = a->heads / a->kv_heads * result_width(a);
  float *results = scratch, *more = scratch + size, *rest = scratch + 2 * size;
  for (long task = first; task < end; task++) {
    struct task t = task_of(s, a, task, q, q_stride, cosines, sines, rest);
    long last = s->positions[t.row], oldest = oldest_of(a, last), part = oldest / PART;
    attend_part(&t, oldest, last, part, results);
    while (++part <= last / PART) {
      attend_part(&t, oldest, last, part, more);
      merge_heads(a, results, more);
    }
    put_means(a, results, means_of(a, task, out, out_stride));
  }
}

/*
 * Attends with all query heads of some tasks to some parts: number i, of first to end - 1, is part
 * i % parts of task i / parts; one that the task's row does not see has no results. `scratch` as
 * above, but for the results.
 */
void KERNEL(attend_parts)(const struct step *s, const struct attention *a, const float *q,
                          long q_stride, float *results, long parts, const float *cosines,
                          const float *sines, float *scratch, long first, long end) {
  long size = a->heads / a->kv_heads * result_width(a);
  for (long i = first; i < end; i++) {
    long task = i / parts, part = i % parts, last = s->positions[task / a->kv_heads];
    long oldest = oldest_of(a, last);
    if (part < oldest / PART || part > last / PART) continue;
    struct task t = task_of(s, a, task, q, q_stride, cosines, sines, scratch);
    attend_part(&t, oldest, last, part, results + i * size);
  }
}

/* Merges what attend_parts() gave of tasks first to end - 1, where it lies. */
void KERNEL(merge_parts)(const struct step *s, const struct attention *a, float *results,
                         long parts, float *out, long out_stride, long first, long end) {
  long size = a->heads / a->kv_heads * result_width(a);
  for (long task = first; task < end; task++) {
    long last = s->positions[task / a->kv_heads], part = oldest_of(a, last) / PART;
    float *of = results + (task * parts + part) * size, *more = of;
    while (++part <= last / PART) merge_heads(a, of, more += size);
    put_means(a, of, means_of(a, task, out, out_stride));
  }
}
