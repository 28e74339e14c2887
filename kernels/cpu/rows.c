/* What is done to each row of activations by itself. Rows first to end - 1; strides in numbers. */
#include "functions.h"

enum activation { SILU = 0, GELU = 1, GELU_TANH = 2, RELU = 3 };

INLINE lanes activated(enum activation f, lanes x) {
  switch (f) {
    case SILU: return over(x, add(all(1.0f), exp_of(sub(all(0.0f), x))));
    case GELU: return mul(mul(all(0.5f), x), add(all(1.0f), erf_of(mul(x, all(0.70710678f)))));
    case GELU_TANH: {
      lanes cube = mul(mul(x, x), x);
      lanes inner = mul(all(0.79788456f), fma_(all(0.044715f), cube, x));
      return mul(mul(all(0.5f), x), add(all(1.0f), tanh_of(inner)));
    }
    default: return larger(all(0.0f), x);
  }
}

INLINE float squares(const float *x, float mean, long width) {
  lanes sum = all(0), shift = all(mean);
  long i = 0;
  for (; i + LANES <= width; i += LANES) {
    lanes d = sub(load(x + i), shift);
    sum = fma_(d, d, sum);
  }
  float rest = 0;
  for (; i < width; i++) rest += (x[i] - mean) * (x[i] - mean);
  return sum_of(sum) + rest;
}

INLINE float mean_of(const float *x, long width) {
  lanes sum = all(0);
  long i = 0;
  for (; i + LANES <= width; i += LANES) sum = add(sum, load(x + i));
  float rest = 0;
  for (; i < width; i++) rest += x[i];
  return (sum_of(sum) + rest) / width;
}

/* RMS norm where `layer` is 0, else layer norm; over each `width` numbers of a row of `total`. */
INLINE void normalise(const float *x, float *out, long total, long width, const float *weight,
                      const float *bias, float eps, long layer) {
  for (long start = 0; start < total; start += width) {
    const float *in = x + start;
    float mean = layer ? mean_of(in, width) : 0;
    float inverse = 1 / __builtin_sqrtf(squares(in, mean, width) / width + eps);
    for (long i = 0; i < width; i += LANES) {
      long n = width - i < LANES ? width - i : LANES;
      lanes y = mul(mul(sub(load_first(in + i, n), all(mean)), all(inverse)),
                    load_first(weight + i, n));
      if (bias) y = add(y, load_first(bias + i, n));
      store_first(out + start + i, y, n);
    }
  }
}

void KERNEL(norm)(const float *x, long x_stride, float *out, long out_stride, long total, long width,
                  const float *weight, const float *bias, float eps, long layer, long first,
                  long end) {
  for (long r = first; r < end; r++)
    normalise(x + r * x_stride, out + r * out_stride, total, width, weight, bias, eps, layer);
}

void KERNEL(add)(const float *a, long a_stride, const float *b, long b_stride, float *out,
                 long out_stride, long width, long first, long end) {
  for (long r = first; r < end; r++)
    for (long i = 0; i < width; i += LANES) {
      long n = width - i < LANES ? width - i : LANES;
      lanes sum = add(load_first(a + r * a_stride + i, n), load_first(b + r * b_stride + i, n));
      store_first(out + r * out_stride + i, sum, n);
    }
}

void KERNEL(scale)(const float *x, long x_stride, float *out, long out_stride, long width, float by,
                   long first, long end) {
  for (long r = first; r < end; r++)
    for (long i = 0; i < width; i += LANES) {
      long n = width - i < LANES ? width - i : LANES;
      store_first(out + r * out_stride + i, mul(load_first(x + r * x_stride + i, n), all(by)), n);
    }
}

void KERNEL(soft_cap)(const float *x, long x_stride, float *out, long out_stride, long width,
                      float cap, long first, long end) {
  for (long r = first; r < end; r++)
    for (long i = 0; i < width; i += LANES) {
      long n = width - i < LANES ? width - i : LANES;
      lanes share = over(load_first(x + r * x_stride + i, n), all(cap));
      store_first(out + r * out_stride + i, mul(all(cap), tanh_of(share)), n);
    }
}

INLINE void activate(enum activation f, const float *x, long x_stride, const float *up, float *out,
                     long out_stride, long width, long first, long end) {
  for (long r = first; r < end; r++)
    for (long i = 0; i < width; i += LANES) {
      long n = width - i < LANES ? width - i : LANES;
      lanes y = activated(f, load_first(x + r * x_stride + i, n));
      if (up) y = mul(y, load_first(up + r * x_stride + i, n));
      store_first(out + r * out_stride + i, y, n);
    }
}

/* f(x), or f(x) * up where there is an up, which lies at the same distances as x. */
void KERNEL(activate)(long f, const float *x, long x_stride, const float *up, float *out,
                      long out_stride, long width, long first, long end) {
  switch (f) {
    case SILU: activate(SILU, x, x_stride, up, out, out_stride, width, first, end); break;
    case GELU: activate(GELU, x, x_stride, up, out, out_stride, width, first, end); break;
    case GELU_TANH: activate(GELU_TANH, x, x_stride, up, out, out_stride, width, first, end); break;
    default: activate(RELU, x, x_stride, up, out, out_stride, width, first, end); break;
  }
}

/* Columns in another order: column c of `out`, whose rows follow each other, is column order[c] of x. */
void KERNEL(reorder)(const float *x, long x_stride, float *out, long columns, const int32_t *order,
                     long rows) {
  for (long row = 0; row < rows; row++)
    for (long c = 0; c < columns; c++) out[row * columns + c] = x[row * x_stride + order[c]];
}
