/*
 * y = x W^T + b with activations as bytes (quantise.c) and weights as the codes of INT8 and INT4,
 * multiplied and summed as integers over 16 columns by vpdpbusd, then scaled and summed in F32.
 *
 * Weights are unsigned bytes here: their codes, of INT8 plus 128. What that adds, and the 8 that
 * INT4 means by 0, is taken off again with the sum of the activations' codes, as integers; the zeros
 * of formats that have them are multiplied with it in F32.
 *
 * An output is one chain over runs of 32 columns in ascending order, of rows of bytes with few tokens
 * (integer_rows.h) and of all others (integer_panels.h): so its bits depend on its own row of x and
 * of W alone.
 */
#include "integer_panels.h"
#include "integer_rows.h"

/* The rows of a product that are asked for. */
struct slice {
  struct plan plan;
  struct operands operands;
  long first;
  long end;
  long tokens;
};

INLINE void rows_of_kind(const struct slice *s, const struct kind k) {
  const struct plan *p = &s->plan;
  const struct operands *o = &s->operands;
  const struct kind alone = {k.nibbles, k.zeros, k.scaling, 1};
  if (s->tokens > FEW) in_panels(p, o, s->first, s->end, s->tokens, k);
  else if (k.nibbles) in_panels(p, o, s->first, s->end, s->tokens, alone);
  else if (s->tokens == 1) few_tokens(p, o, s->first, s->end, 1, k);
  else few_tokens(p, o, s->first, s->end, FEW, k);
}

/* A function of its own for each kind: of nibbles or not, with zeros or without. */
#define ROWS_OF(name, nibbles, zeros, scaling)                        \
  APART void name(const struct slice *s) {                            \
    rows_of_kind(s, (struct kind){nibbles, zeros, scaling, SIDES});          \
  }

ROWS_OF(bytes_late, 0, 0, LATE)
ROWS_OF(bytes_runs, 0, 0, RUNS)
ROWS_OF(bytes_halves, 0, 0, HALVES)
ROWS_OF(bytes_zeros_runs, 0, 1, RUNS)
ROWS_OF(bytes_zeros_halves, 0, 1, HALVES)
ROWS_OF(nibbles_runs, 1, 0, RUNS)
ROWS_OF(nibbles_halves, 1, 0, HALVES)
ROWS_OF(nibbles_zeros_runs, 1, 1, RUNS)
ROWS_OF(nibbles_zeros_halves, 1, 1, HALVES)

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds what quantise_rows() gave;
 * `out` and `bias` point to the matrix's own first output. For INT8 and INT4 only.
 */
void KERNEL(integer_product)(const struct matrix *m, const struct activations *x, float *out,
                             long out_stride, const float *bias, long first_row, long end_row,
                             long tokens) {
  static void (*const of_kind[2][2][3])(const struct slice *) = {
      {{bytes_late, bytes_runs, bytes_halves}, {0, bytes_zeros_runs, bytes_zeros_halves}},
      {{0, nibbles_runs, nibbles_halves}, {0, nibbles_zeros_runs, nibbles_zeros_halves}}};
  struct slice s = {plan_of(m), {x, tiles_of(m->columns), out, out_stride, bias}, first_row,
                    end_row, tokens};
  struct kind k = kind_of(m);
  of_kind[k.nibbles][k.zeros][k.scaling](&s);
}
