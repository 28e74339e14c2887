/* Outputs of up to 16 rows of weights on their way, a row in each lane. */
#ifndef MILLRACE_TARGET_H
#define MILLRACE_TARGET_H

#include "matrix.h"

struct target {
  float *out;
  long stride;
  __mmask16 mask;
  __m512 scales; /* that are due late */
  __m512 bias;
};

/*
 * Those of rows `row` to `row` + 15 that are among `first` to `end` - 1. `late`: the matrix that a sum
 * takes its scale from, or none.
 */
INLINE struct target target_of(const struct matrix *late, const struct operands *o, long row,
                               long first, long end) {
  long from = first > row ? first - row : 0, to = end - row < 16 ? end - row : 16;
  __mmask16 mask = to > from ? (__mmask16)((1u << to) - (1u << from)) : 0;
  float scales[16];
  for (long r = 0; r < 16; r++)
    scales[r] = late && mask >> r & 1 ? number_of(late, late->scales, row + r, 0) : 1;
  return (struct target){o->out + row, o->out_stride, mask, load(scales),
                         o->bias ? _mm512_maskz_loadu_ps(mask, o->bias + row) : all(0)};
}

/* Puts outputs of which these are the sums. */
INLINE void finish(const struct target *to, long token, __m512 sums) {
  _mm512_mask_storeu_ps(to->out + token * to->stride, to->mask,
                        add(mul(sums, to->scales), to->bias));
}

#endif
