/*
 * BF16 activations times INT4, INT8, FP8 or CODE4 weights for up to sixteen rows, where reading the weights
 * is all the time. A block takes bands of 16 features; its warps share out a band's columns in spans of
 * 64 bytes of codes. A lane reads its part of a span, 16 bytes of two features, straight into
 * registers, several spans ahead, across bands, and the first ones while the kernel before still runs.
 * x stays in the L1 cache. A gate's band has eight features of either factor.
 *
 * The tensor cores take the features as their left side and the rows of x as the right. Within 16
 * columns they do not care which is which, as long as x and W agree: a lane brings four columns of its
 * own 16 bytes. So all columns of a span must share a scale. Scales and zeros are applied in F32; with
 * m = 8 for INT4, else 0,
 *   sum of x · (q − m) · s  =  s · sum of x · (q − m),
 *   sum of x · (q · s − z)  =  s · sum of x · (q − m) + (m s − z) · sum of x.
 */
#include "activation.cuh"
#include "packed_codes.cuh"

static constexpr int WARPS = 8;
static constexpr int FEATURES = 16;
static constexpr int AHEAD = 4; /* spans that a warp has on their way */

/* The warps' sums of a band, for up to 8 · N rows. */
template <int N>
static constexpr int SUMS = WARPS * FEATURES * 8 * N;

/* The same, plain or for a gate. */
struct Banded : Problem {
  int width; /* 0; or that of a gate, which is the first half of outs */

  __device__ __forceinline__ int bands() const {
    return width ? (width + FEATURES / 2 - 1) / (FEATURES / 2) : (outs + FEATURES - 1) / FEATURES;
  }
  /* The i-th feature of half a band; of a gate's, the halves are the two factors. */
  __device__ __forceinline__ int feature(int band, int half, int i) const {
    return width ? half * width + min(band * (FEATURES / 2) + i, width - 1)
                 : min(band * FEATURES + half * (FEATURES / 2) + i, outs - 1);
  }
};

/* A span of a band, which is 16 features. */
struct Place {
  int band, span;
};

/* For up to 8 · N rows of x. */
template <class Codes, bool ZEROS, int N>
struct Spans {
  static constexpr int COLUMNS = 64 * Codes::STEPS; /* of a span */
  static constexpr int CHUNKS = 2 * Codes::STEPS;   /* of eight columns of x, that go with 16 bytes */

  /* What a lane has of a span: features lane / 4 and 8 more, columns by lane % 4. */
  struct Span {
    uint4 codes[2];
    float scale[2], zero[2];
  };

  const Banded &p;
  Codes numbers;
  int lane, warp, count, bands;
  int shift, groups;
  const bf16 *x_from[N];         /* what this lane brings of x, in the first span */
  const unsigned char *codes[2]; /* its part of two features, in the first span of the band asked for */
  int last;                      /* bytes from there to its features' last ones */
  int scales[2];                 /* the first of each of these features */
  float all[N][4] = {}; /* of features lane / 4 (twice) and 8 more, rows lane % 4 · 2 and 1 more */

  __device__ __forceinline__ Spans(const Banded &p) : p(p), numbers(p) {
    lane = threadIdx.x % 32;
    warp = threadIdx.x / 32;
    count = (p.ins + COLUMNS - 1) / COLUMNS;
    bands = p.bands();
    shift = p.group ? 31 - __clz(p.group) : 30;
    groups = p.group ? (p.ins + p.group - 1) >> shift : 1;
    // rows that x does not have are computed as its last one, and nobody stores them
#pragma unroll
    for (int n = 0; n < N; n++)
      x_from[n] = p.x + (size_t)min(n * 8 + lane / 4, p.rows - 1) * p.x_stride +
                  lane % 4 * (CHUNKS * 8);
    last = (int)Codes::row_bytes(p.ins) - 16 - lane % 4 * 16;
    find(blockIdx.x);
  }

  /* Where a band's features begin. */
  __device__ __forceinline__ void find(int band) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      int feature = p.feature(band, h, lane / 4);
      codes[h] = p.codes + feature * Codes::row_bytes(p.ins) + lane % 4 * 16;
      scales[h] = feature * groups;
    }
  }

  /* This warp's next, in this band or the block's next one; it has one of each, even if that is empty. */
  __device__ __forceinline__ bool step(Place &place) const {
    place.span += WARPS;
    if (place.span < count) return false;
    place.span = warp;
    place.band += gridDim.x;
    return true;
  }
  __device__ __forceinline__ bool ends_band(const Place &place) const {
    return place.span + WARPS >= count;
  }

  /* The next span. Behind a row's last bytes they come again, for columns of which x has zeros. */
  __device__ __forceinline__ void ask_for(Place &place, Span &span) {
    if (place.band < bands) {
      int at = min(place.span * 64, last);
      int group = min(place.span * COLUMNS >> shift, groups - 1);
#pragma unroll
      for (int h = 0; h < 2; h++) {
        span.codes[h] = load_once(codes[h] + at);
        span.scale[h] = p.scales[scales[h] + group];
        if (ZEROS) span.zero[h] = p.zeros[scales[h] + group];
      }
    }
    if (step(place)) find(place.band);
  }

  /* The rows of x that this lane brings, eight columns at a time; zeros beyond. */
  __device__ __forceinline__ void load_x(int span, uint4 (&x)[N][CHUNKS]) const {
    bool whole = (span + 1) * COLUMNS <= p.ins;
    int column = span * COLUMNS + lane % 4 * (CHUNKS * 8);
#pragma unroll
    for (int n = 0; n < N; n++) {
      const uint4 *from = reinterpret_cast<const uint4 *>(x_from[n] + span * COLUMNS);
      if (whole) {
#pragma unroll
        for (int i = 0; i < CHUNKS; i++) x[n][i] = from[i];
      } else {
#pragma unroll
        for (int i = 0; i < CHUNKS; i++)
          x[n][i] = column + i * 8 < p.ins ? from[i] : uint4{0, 0, 0, 0};
      }
    }
  }

  __device__ __forceinline__ void add(int at, const Span &span) {
    uint4 x[N][CHUNKS];
    load_x(at, x);
    float open[N][4] = {}, sum_x[N][4] = {};
#pragma unroll
    for (int word = 0; word < 4; word++) {
      unsigned w[2][Codes::STEPS][2];
      numbers.decode(part(span.codes[0], word), w[0]);
      numbers.decode(part(span.codes[1], word), w[1]);
#pragma unroll
      for (int s = 0; s < Codes::STEPS; s++)
#pragma unroll
        for (int n = 0; n < N; n++) {
          unsigned x0 = part(x[n][2 * s + word / 2], word % 2 * 2);
          unsigned x1 = part(x[n][2 * s + word / 2], word % 2 * 2 + 1);
          multiply_add(open[n], {w[0][s][0], w[1][s][0], w[0][s][1], w[1][s][1]}, x0, x1);
          if (ZEROS)
            multiply_add(sum_x[n], {0x3f803f80u, 0x3f803f80u, 0x3f803f80u, 0x3f803f80u}, x0, x1);
        }
    }
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int e = 0; e < 4; e++) {
        all[n][e] = fmaf(open[n][e], span.scale[e / 2], all[n][e]);
        if constexpr (ZEROS)
          all[n][e] =
              fmaf(sum_x[n][e], Codes::rest(span.scale[e / 2], span.zero[e / 2]), all[n][e]);
      }
  }

  static __device__ __forceinline__ unsigned part(const uint4 &words, int i) {
    return i == 0 ? words.x : i == 1 ? words.y : i == 2 ? words.z : words.w;
  }
};

struct Target {
  const float *bias;
  void *out;
  int out_stride;
  int wide;
  int activation;
};

/* The warps' sums of a feature and row of a band, added up in their order. */
template <int ROWS>
__device__ __forceinline__ float sum_of(const float *sums, int row, int column, const float *bias,
                                        int feature) {
  float sum = bias ? bias[feature] : 0;
  const float *from = sums + row * FEATURES + column;
#pragma unroll
  for (int i = 0; i < WARPS; i++) sum += from[i * (ROWS * FEATURES)];
  return sum;
}

template <int N>
__device__ __forceinline__ void finish(float (&all)[N][4], float *sums, const Banded &p, int band,
                                       const Target &target) {
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  constexpr int ROWS = 8 * N;
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int e = 0; e < 4; e++) {
      int row = n * 8 + lane % 4 * 2 + e % 2;
      sums[(warp * ROWS + row) * FEATURES + e / 2 * 8 + lane / 4] = all[n][e];
      all[n][e] = 0;
    }
  __syncthreads();
  int row = threadIdx.x / FEATURES, column = threadIdx.x % FEATURES;
  if (row >= min(p.rows, ROWS)) return;
  if (p.width) {
    int feature = band * (FEATURES / 2) + column;
    if (column >= FEATURES / 2 || feature >= p.width) return;
    float gate = sum_of<ROWS>(sums, row, column, target.bias, feature);
    float up = sum_of<ROWS>(sums, row, FEATURES / 2 + column, target.bias, p.width + feature);
    static_cast<bf16 *>(target.out)[(size_t)row * target.out_stride + feature] =
        gated(target.activation, gate, up);
    return;
  }
  int feature = band * FEATURES + column;
  if (feature >= p.outs) return;
  float sum = sum_of<ROWS>(sums, row, column, target.bias, feature);
  size_t at = (size_t)row * target.out_stride + feature;
  if (target.wide)
    static_cast<float *>(target.out)[at] = sum;
  else
    static_cast<bf16 *>(target.out)[at] = to_bf16(sum);
}

template <class Codes, bool ZEROS, int N>
__device__ __forceinline__ void multiply(const Banded &p, const Target &target, float *sums) {
  typedef Spans<Codes, ZEROS, N> Mine;
  Mine spans(p);
  typename Mine::Span ahead[AHEAD];
  Place now{(int)blockIdx.x, spans.warp}, next = now;
#pragma unroll
  for (int i = 0; i < AHEAD; i++) spans.ask_for(next, ahead[i]);
  await_previous();
  // sums of one band are read while the next one's come
  for (int half = 0; now.band < spans.bands;)
#pragma unroll
    for (int i = 0; i < AHEAD; i++) {
      if (now.band >= spans.bands) break;
      spans.add(now.span, ahead[i]);
      spans.ask_for(next, ahead[i]);
      if (spans.ends_band(now)) {
        finish<N>(spans.all, sums + half * SUMS<N>, p, now.band, target);
        half ^= 1;
      }
      spans.step(now);
    }
}

template <class Codes, int N>
__device__ __forceinline__ void multiply(const Banded &p, const Target &target, float *sums) {
  if constexpr (Codes::ZEROS)
    if (p.zeros) return multiply<Codes, true, N>(p, target, sums);
  multiply<Codes, false, N>(p, target, sums);
}

/* `activation` is below 0 for a plain product; else the result is a gate, half as wide. */
#define MULTIPLY(name, Codes, N)                                                               \
  KERNEL __launch_bounds__(WARPS * 32, 2) multiply_few_##name(                                 \
      const bf16 *x, int x_stride, const unsigned char *codes, const float *scales,            \
      const float *zeros, int group, const float *bias, void *out, int out_stride, int wide,   \
      int rows, int outs, int ins, int activation) {                                           \
    SHARED(float, sums, 2 * SUMS<N>);                                                          \
    int width = activation < 0 ? 0 : outs / 2;                                                 \
    Banded p{{x, x_stride, codes, scales, zeros, group, rows, outs, ins}, width};              \
    Target target{bias, out, out_stride, wide, activation};                                    \
    multiply<Codes, N>(p, target, sums);                                                       \
  }                                                                                            \
  EXPORT(multiply_few_##name);

MULTIPLY(int4_8, Int4Codes, 1)
MULTIPLY(int4_16, Int4Codes, 2)
MULTIPLY(int8_8, Int8Codes, 1)
MULTIPLY(int8_16, Int8Codes, 2)
MULTIPLY(fp8_8, Fp8Codes, 1)
MULTIPLY(fp8_16, Fp8Codes, 2)
MULTIPLY(code4_8, Code4Codes, 1)
MULTIPLY(code4_16, Code4Codes, 2)
