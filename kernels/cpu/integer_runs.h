/* What products in integers do with a run of 32 columns, whether a lane is a run or a row. */
#ifndef MILLRACE_INTEGER_RUNS_H
#define MILLRACE_INTEGER_RUNS_H

#include "integers.h"
#include "target.h"

/* So few tokens pass rows, or a band, as memory gives them. */
#define FEW 2

/* What a run's products are multiplied by: nothing until the end, a scale, or one for each half. */
enum scaling { LATE, RUNS, HALVES };

/* What a matrix has; constants where functions are made for it. */
struct kind {
  int nibbles;
  int zeros;
  enum scaling scaling;
  int bands; /* of 16 rows, whose sums are in registers together */
};

INLINE struct kind kind_of(const struct matrix *m) {
  int zeros = has_zeros((enum format)m->format);
  return (struct kind){has_nibbles((enum format)m->format), zeros,
                       m->group_columns == 16 ? HALVES : m->group_columns || zeros ? RUNS : LATE,
                       SIDES};
}

/* Where a tile's groups are found. */
struct plan {
  const struct matrix *m;
  long groups;         /* of a tile; 0 where all columns are one */
  unsigned group_runs; /* log2 of the runs that share a group */
};

INLINE struct plan plan_of(const struct matrix *m) {
  return (struct plan){m, m->group_columns ? TILE / m->group_columns : 0,
                       m->group_columns >= 32 ? (unsigned)m->group_shift - 5 : 4};
}

INLINE enum excess excess_of(const struct kind k) {
  return !k.nibbles ? HIGH_BIT : k.zeros ? NONE : EIGHT;
}

/* Numbers of the two halves of runs. */
struct halves {
  __m512 first;
  __m512 second;
};

/* What runs add to outputs: products as integers, times those of activations and of weights. */
INLINE __m512 value_of(struct halves products, struct halves x, struct halves w,
                       const struct kind k) {
  __m512 first = mul(products.first, x.first);
  if (k.scaling == HALVES)
    return fma_(mul(products.second, x.second), w.second, mul(first, w.first));
  __m512 both = fma_(products.second, x.second, first);
  return k.scaling == LATE ? both : mul(both, w.first);
}

/* The same with what zeros add. */
INLINE __m512 with_zeros(__m512 value, struct halves totals, struct halves zeros,
                         const struct kind k) {
  if (k.scaling == HALVES)
    return fma_(totals.second, zeros.second, fma_(totals.first, zeros.first, value));
  return fma_(add(totals.first, totals.second), zeros.first, value);
}

/* The matrix that a sum takes its scale from, or none. */
INLINE const struct matrix *late_in(const struct matrix *m, const struct kind k) {
  return k.scaling == LATE ? m : 0;
}

#endif
