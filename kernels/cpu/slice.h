/* What a product by vdpbf16ps is made of: rows of weights on their way to the outputs. */
#ifndef MILLRACE_SLICE_H
#define MILLRACE_SLICE_H

#include "decoded.h"

/* Weight rows and tokens of a block: all sums, one run of weights and one of x in registers. */
#define ROWS 4
#define TOKENS 6

/* How far ahead weights are fetched, in bytes: whole blocks of rows. */
#define AHEAD 8192

/* Rows of a matrix and where their outputs go. */
struct slice {
  const struct matrix *m;
  const struct operands *o;
  const struct matrix *scales; /* that a sum takes its scale from, or none */
  long row;                    /* of the matrix */
  long output;
  long rows;
  const char *next; /* weights that are fetched with the next block, for the slice that follows */
  long part;        /* bytes of them a block; 0: none */
};

/* Row `r` of a block; the slice's last one again where there are fewer. */
INLINE long row_of(const struct slice *s, long done, long r) {
  return s->row + (done + r < s->rows ? done + r : s->rows - 1);
}

/* Puts the sums of a block's rows for one token. */
INLINE void put(const struct slice *s, long done, long token, __m128 y) {
  long output = s->output + done, rows = s->rows - done < ROWS ? s->rows - done : ROWS;
  __mmask8 mask = (__mmask8)((1 << rows) - 1);
  if (s->scales) {
    float scales[ROWS] = {1, 1, 1, 1};
    for (long r = 0; r < rows; r++)
      scales[r] = number_of(s->scales, s->scales->scales, output + r, 0);
    y = _mm_mul_ps(y, _mm_loadu_ps(scales));
  }
  if (s->o->bias) y = _mm_add_ps(y, _mm_maskz_loadu_ps(mask, s->o->bias + output));
  _mm_mask_storeu_ps(s->o->out + token * s->o->out_stride + output, mask, y);
}

/* Rows from some to those that they fetch, one after the other: so memory gives most. */
INLINE long rows_ahead(const struct matrix *m) {
  long bytes = ROWS * m->row_bytes;
  return (AHEAD + bytes - 1) / bytes * ROWS;
}

#endif
