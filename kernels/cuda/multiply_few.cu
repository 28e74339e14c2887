/*
 * y = x Wᵀ + b for one or two rows of BF16, where reading W is all the time: a warp takes a row of
 * W, each lane sixteen bytes at a time, several of them on their way at once, the first ones while
 * the kernel before still runs. x stays in the L1 cache. Sums in F32, over lanes last.
 */
#include "runs.cuh"

static constexpr int WARPS = 8;
static constexpr int AHEAD = 4; /* runs of W that a lane has on their way */
static constexpr int RESIDENT = 6; /* blocks of a multiprocessor, which keep its memory busy */
static constexpr int SIZE = Run<bf16>::SIZE;

template <int ROWS>
struct Sums {
  float of[ROWS] = {};

  __device__ __forceinline__ void add(const uint4 &weights, const bf16 *x, int x_stride,
                                      int rows) {
    float w[SIZE];
    load_run(reinterpret_cast<const bf16 *>(&weights), w);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      if (r == rows) return;
      float numbers[SIZE];
      load_run(x + (size_t)r * x_stride, numbers);
#pragma unroll
      for (int e = 0; e < SIZE; e++) of[r] = fmaf(numbers[e], w[e], of[r]);
    }
  }
};

/* Of up to ROWS rows. */
template <int ROWS, class Out>
__device__ __forceinline__ void multiply(const bf16 *x, int x_stride, const bf16 *weights,
                                         const float *bias, Out *out, int out_stride, int rows,
                                         int outs, int ins) {
  int lane = threadIdx.x % 32, feature = blockIdx.x * WARPS + threadIdx.x / 32;
  const uint4 *row = reinterpret_cast<const uint4 *>(weights + (size_t)min(feature, outs - 1) * ins);
  int runs = ins / SIZE, run = lane;
  Sums<ROWS> sums;
  uint4 w[AHEAD];
  auto load = [&] {
#pragma unroll
    for (int i = 0; i < AHEAD; i++) w[i] = row[run + i * 32];
  };
  auto add = [&] {
#pragma unroll
    for (int i = 0; i < AHEAD; i++) sums.add(w[i], x + (run + i * 32) * SIZE, x_stride, rows);
    run += AHEAD * 32;
  };
  bool loaded = run + (AHEAD - 1) * 32 < runs;
  if (loaded) load();  // while the kernel before still runs
  await_previous();
  if (feature >= outs) return;
  if (loaded) add();
  while (run + (AHEAD - 1) * 32 < runs) {
    load();
    add();
  }
  for (; run < runs; run += 32) sums.add(row[run], x + run * SIZE, x_stride, rows);
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    float sum = warp_sum(sums.of[r]);
    if (lane == 0 && r < rows)
      out[(size_t)r * out_stride + feature] = from_float<Out>(bias ? sum + bias[feature] : sum);
  }
}

#define MULTIPLY(name, ROWS, Out)                                                                \
  KERNEL __launch_bounds__(WARPS * 32, RESIDENT) multiply_few_##name(                                      \
      const bf16 *x, int x_stride, const bf16 *weights, const float *bias, Out *out,             \
      int out_stride, int rows, int outs, int ins) {                                             \
    multiply<ROWS>(x, x_stride, weights, bias, out, out_stride, rows, outs, ins);                \
  }                                                                                              \
  EXPORT(multiply_few_##name);

MULTIPLY(1, 1, bf16)
MULTIPLY(2, 2, bf16)
MULTIPLY(wide_1, 1, float)
MULTIPLY(wide_2, 2, float)
