/*
 * Functions of F32 vectors. e^x: x = n ln 2 + r with |r| <= ln 2 / 2, then the Taylor polynomial of
 * degree 7, whose error on that range is below 2^-26; from -87 down it is held at e^-87.
 * The error function: Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.
 */
#ifndef MILLRACE_FUNCTIONS_H
#define MILLRACE_FUNCTIONS_H

#include "lanes.h"

INLINE lanes exp_of(lanes x) {
  x = smaller(all(88.0f), larger(all(-87.0f), x)); /* in this order a NaN stays one */
  lanes n = rounded(mul(x, all(1.44269504f)));
  lanes r = fma_(n, all(-0.693359375f), x);
  r = fma_(n, all(2.12194440e-4f), r);
  lanes p = all(1.0f / 5040);
  p = fma_(p, r, all(1.0f / 720));
  p = fma_(p, r, all(1.0f / 120));
  p = fma_(p, r, all(1.0f / 24));
  p = fma_(p, r, all(1.0f / 6));
  p = fma_(p, r, all(0.5f));
  p = fma_(p, r, all(1.0f));
  p = fma_(p, r, all(1.0f));
  return mul(p, power_of_two(n));
}

INLINE lanes tanh_of(lanes x) {
  lanes e = exp_of(mul(size_of(x), all(2.0f)));
  return with_sign(sub(all(1.0f), over(all(2.0f), add(e, all(1.0f)))), x);
}

INLINE lanes erf_of(lanes x) {
  lanes size = size_of(x);
  lanes t = over(all(1.0f), fma_(all(0.3275911f), size, all(1.0f)));
  lanes p = all(1.061405429f);
  p = fma_(p, t, all(-1.453152027f));
  p = fma_(p, t, all(1.421413741f));
  p = fma_(p, t, all(-0.284496736f));
  p = fma_(p, t, all(0.254829592f));
  lanes tail = mul(mul(p, t), exp_of(mul(sub(all(0.0f), size), size)));
  return with_sign(sub(all(1.0f), tail), x);
}

#endif
