/*
 * y = x Wᵀ + b on tensor cores, BF16 times BF16 into F32. Tiles of x and W pass through a ring of
 * stages in shared memory, filled by asynchronous copies; columns lie swizzled there, so that the
 * eight rows that a matrix load reads are in different banks. All tile sizes add in the same order,
 * 16 columns at a time, and K is not split: a row is the same bits in each of them.
 */
#include "numbers.cuh"

template <int M, int N, int K, int WARP_M, int WARP_N, int STAGES>
struct Tiles {
  static constexpr int THREADS = M / WARP_M * (N / WARP_N) * 32;
  static constexpr int CHUNKS = K / 8; /* of 16 bytes, in a row */
  static constexpr int STAGE = (M + N) * K;

  struct Problem {
    const bf16 *x;
    int x_stride;
    const bf16 *weights;
    int rows, outs, ins;
  };

  /* Where chunk c of row r lies. */
  static __device__ __forceinline__ int at(int r, int c) {
    return r * K + (c ^ (r >> (CHUNKS == 4 ? 1 : 0) & (CHUNKS - 1))) * 8;
  }

  static __device__ __forceinline__ void load_tile(bf16 *to, const bf16 *from, size_t stride,
                                                   int first, int end, int k, int ins, int count) {
    for (int i = threadIdx.x; i < count * CHUNKS; i += THREADS) {
      int r = i / CHUNKS, c = i % CHUNKS;
      bool inside = first + r < end && k + c * 8 < ins;
      copy_async(to + at(r, c), inside ? from + (first + r) * stride + k + c * 8 : from,
                 inside ? 16 : 0);
    }
  }

  static __device__ __forceinline__ void load(bf16 *ring, const Problem &p, int tile, int tiles) {
    if (tile < tiles) {
      bf16 *stage = ring + tile % STAGES * STAGE;
      load_tile(stage, p.x, p.x_stride, blockIdx.y * M, p.rows, tile * K, p.ins, M);
      load_tile(stage + M * K, p.weights, p.ins, blockIdx.x * N, p.outs, tile * K, p.ins, N);
    }
    copies_commit();
  }

  static __device__ __forceinline__ void multiply(const bf16 *stage, float (&sums)[WARP_M / 16][WARP_N / 8][4]) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const bf16 *left = stage, *right = stage + M * K;
#pragma unroll
    for (int k = 0; k < K / 16; k++) {
      unsigned a[WARP_M / 16][4], b[WARP_N / 16][4];
#pragma unroll
      for (int i = 0; i < WARP_M / 16; i++) {
        int r = warp / (N / WARP_N) * WARP_M + i * 16 + lane % 16;
        load_matrices(a[i], left + at(r, k * 2 + lane / 16));
      }
#pragma unroll
      for (int j = 0; j < WARP_N / 16; j++) {
        int r = warp % (N / WARP_N) * WARP_N + j * 16 + lane % 8 + lane / 16 * 8;
        load_matrices(b[j], right + at(r, k * 2 + lane / 8 % 2));
      }
#pragma unroll
      for (int i = 0; i < WARP_M / 16; i++)
#pragma unroll
        for (int j = 0; j < WARP_N / 8; j++)
          multiply_add(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
  }

  template <class Out>
  static __device__ __forceinline__ void store(const float (&sums)[WARP_M / 16][WARP_N / 8][4],
                                               const Problem &p, const float *bias, Out *out,
                                               int out_stride) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int row0 = blockIdx.y * M + warp / (N / WARP_N) * WARP_M + lane / 4;
    int column0 = blockIdx.x * N + warp % (N / WARP_N) * WARP_N + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < WARP_M / 16; i++)
#pragma unroll
      for (int j = 0; j < WARP_N / 8; j++)
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int row = row0 + i * 16 + e / 2 * 8, column = column0 + j * 8 + e % 2;
          if (row < p.rows && column < p.outs)
            out[(size_t)row * out_stride + column] =
                from_float<Out>(bias ? sums[i][j][e] + bias[column] : sums[i][j][e]);
        }
  }

  template <class Out>
  static __device__ __forceinline__ void run(const Problem &p, const float *bias, Out *out,
                                             int out_stride) {
    DYNAMIC_SHARED(bf16, ring);
    int tiles = (p.ins + K - 1) / K;
    for (int tile = 0; tile < STAGES - 1; tile++) load(ring, p, tile, tiles);
    float sums[WARP_M / 16][WARP_N / 8][4] = {};
    for (int tile = 0; tile < tiles; tile++) {
      copies_wait<STAGES - 2>();
      __syncthreads();  // the tile is there for all, and nobody reads the stage that comes next
      load(ring, p, tile + STAGES - 1, tiles);
      multiply(ring + tile % STAGES * STAGE, sums);
    }
    store(sums, p, bias, out, out_stride);
  }
};

typedef Tiles<128, 128, 32, 64, 32, 4> Large;
typedef Tiles<64, 64, 64, 32, 32, 4> Middle;
typedef Tiles<16, 64, 64, 16, 16, 4> Flat;

#define MULTIPLY(name, Shape, Out)                                                               \
  KERNEL __launch_bounds__(Shape::THREADS) multiply_mma_##name(                                  \
      const bf16 *x, int x_stride, const bf16 *weights, const float *bias, Out *out,             \
      int out_stride, int rows, int outs, int ins) {                                             \
    begin();                                                                                     \
    Shape::run<Out>({x, x_stride, weights, rows, outs, ins}, bias, out, out_stride);             \
  }                                                                                              \
  EXPORT(multiply_mma_##name);

MULTIPLY(large, Large, bf16)
MULTIPLY(middle, Middle, bf16)
MULTIPLY(flat, Flat, bf16)
MULTIPLY(wide_large, Large, float)
MULTIPLY(wide_middle, Middle, float)
MULTIPLY(wide_flat, Flat, float)
