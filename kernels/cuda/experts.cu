/*
 * Mixtures of experts: which experts a row uses, the products with them, and the sum of what they
 * give. A row's experts stand in the order of their numbers, so its sum is always the same.
 */
#include "weights.cuh"

/* One matrix of one expert. Where there is an order, its column i is multiplied with x at order[i]. */
struct ExpertMatrix {
  const void *data;
  const float *scales;
  const float *zeros;
  const float *bias;
  const int *order;
};

/* Of 0, too. */
__device__ __forceinline__ bool negative(float x) { return copysignf(1, x) < 0; }

/*
 * Softmax over a row of the router's output, then its best experts; of equals, the first. A block of
 * one warp a row. `marks` has room for one float per expert.
 */
template <class T>
__device__ __forceinline__ void route(const T *routed, int stride, int experts, int per_token,
                                      int normalise, int *chosen, float *weights) {
  DYNAMIC_SHARED(float, left);
  int lane = threadIdx.x;
  size_t row = blockIdx.x;
  float largest = -INFINITY;
  for (int i = lane; i < experts; i += 32)
    largest = fmaxf(largest, to_float(routed[row * stride + i]));
  largest = warp_max(largest);
  float total = 0;
  for (int i = lane; i < experts; i += 32) {
    left[i] = expf(to_float(routed[row * stride + i]) - largest);
    total += left[i];
  }
  total = warp_sum(total);
  float taken = 0;
  for (int n = 0; n < per_token; n++) {
    int best = experts;
    float most = -1;
    for (int i = lane; i < experts; i += 32)
      if (!negative(left[i]) && left[i] > most) {
        most = left[i];
        best = i;
      }
    float top = warp_max(most);
    int mine = most == top ? best : experts;
    for (int mask = 16; mask > 0; mask >>= 1) mine = min(mine, shuffle_xor(mine, mask));
    taken += top;
    if (mine < experts && mine % 32 == lane) left[mine] = -left[mine];  // its sign: chosen
  }
  sync_warp();
  if (lane != 0) return;
  float whole = normalise && total == total ? taken : total;
  int slot = 0;
  // no more than there is room for, whatever signs the NaNs of a row have that is not all numbers
  for (int i = 0; i < experts && slot < per_token; i++)
    if (negative(left[i])) {
      chosen[row * per_token + slot] = i;
      weights[row * per_token + slot++] = -left[i] / whole;
    }
  for (; slot < per_token; slot++) {  // a row that is not all numbers stays one that is not
    chosen[row * per_token + slot] = 0;
    weights[row * per_token + slot] = NAN;
  }
}

/* Row r of the output is row r / share of x times expert chosen[r]. A warp an output feature. */
template <class T, class Format>
__device__ __forceinline__ void multiply(const T *x, int x_stride, int share,
                                         const ExpertMatrix *experts, int group, const int *chosen,
                                         T *out, int out_stride, int outs, int ins) {
  int lane = threadIdx.x % 32;
  int feature = blockIdx.x * 4 + threadIdx.x / 32;
  size_t row = blockIdx.y;
  if (feature >= outs) return;
  const ExpertMatrix &expert = experts[chosen[row]];
  Weights w{expert.data, expert.scales, expert.zeros, group};
  const T *in = x + row / share * x_stride;
  float sum = 0;
  for (int i = lane; i < ins; i += 32) {
    float one = to_float(in[expert.order ? expert.order[i] : i]);
    sum = fmaf(one, Format::at(w, feature, i, ins), sum);
  }
  sum = warp_sum(sum);
  if (lane == 0)
    out[row * out_stride + feature] =
        from_float<T>(expert.bias ? sum + expert.bias[feature] : sum);
}

/* Row r of the output is the weighted sum of rows r · per_token and the following. */
template <class T>
__device__ __forceinline__ void combine(const T *parts, int parts_stride, const float *weights,
                                        int per_token, T *out, int out_stride, int width) {
  size_t row = blockIdx.x;
  int i = blockIdx.y * 256 + threadIdx.x;
  if (i >= width) return;
  float sum = 0;
  for (size_t n = row * per_token; n < (row + 1) * per_token; n++)
    sum = fmaf(weights[n], to_float(parts[n * parts_stride + i]), sum);
  out[row * out_stride + i] = from_float<T>(sum);
}

#define ROUTE(T, suffix)                                                                        \
  KERNEL route_##suffix(const T *routed, int stride, int experts, int per_token, int normalise, \
                        int *chosen, float *weights) {                                          \
    begin();                                                                                    \
    route(routed, stride, experts, per_token, normalise, chosen, weights);                      \
  }                                                                                             \
  EXPORT(route_##suffix);                                                                       \
  KERNEL combine_##suffix(const T *parts, int parts_stride, const float *weights,               \
                          int per_token, T *out, int out_stride, int width) {                   \
    begin();                                                                                    \
    combine(parts, parts_stride, weights, per_token, out, out_stride, width);                   \
  }                                                                                             \
  EXPORT(combine_##suffix);
#define EXPERTS(T, suffix, Format, format)                                                      \
  KERNEL experts_##suffix##_##format(const T *x, int x_stride, int share,                       \
                                     const ExpertMatrix *experts, int group, const int *chosen, \
                                     T *out, int out_stride, int outs, int ins) {               \
    begin();                                                                                    \
    multiply<T, Format>(x, x_stride, share, experts, group, chosen, out, out_stride, outs, ins); \
  }                                                                                             \
  EXPORT(experts_##suffix##_##format);

ROUTE(float, f32)
ROUTE(bf16, bf16)
FOR_EVERY_FORMAT(EXPERTS, float, f32)
FOR_EVERY_FORMAT(EXPERTS, bf16, bf16)
