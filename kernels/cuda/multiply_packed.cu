/*
 * BF16 activations times INT4, INT8, FP8 or CODE4 weights for few rows, where reading the weights is all the
 * time: they are read as docs/device-formats.md lays them out, once, and become BF16 in registers.
 * Scales and zeros are applied in F32, to the sums of a group; with m = 8 for INT4, else 0,
 *   sum of x · (q − m) · s  =  s · sum of x · (q − m),
 *   sum of x · (q · s − z)  =  s · sum of x · (q − m) + (m s − z) · sum of x.
 *
 * The tensor cores take 16 features of the weights as their left side and 8 rows of x as the right.
 * Within 16 columns they do not care which is which, as long as x and W agree. Lane t of a quad
 * takes columns 4t to 4t + 3: of the weights, that is one word.
 *
 * The two halves of a block take one half each of the columns of every tile, for the same features.
 */
#include "packed_codes.cuh"

static constexpr int THREADS = 256;
static constexpr int RUNS = 4;                       /* of 16 bytes, that a warp takes of a tile */
static constexpr int CHUNKS = 2 * RUNS;              /* of 16 bytes, in a row of a tile */
static constexpr int CODE_ROW = CHUNKS * 16 + 16;    /* bytes; 8 rows begin in 8 places of banks */

/* Tiles of ROWS rows of x. A group, or what is added up of it, is CLOSE steps of 16 columns. */
template <class Codes, int ROWS, int CLOSE, bool ZEROS>
struct Packed {
  static constexpr int N = ROWS / 8;
  static constexpr int M = ROWS == 32 ? 2 : 1; /* times 16 features of a warp */
  static constexpr int FEATURES = 4 * M * 16;
  static constexpr int STAGES = ROWS == 32 ? 2 : 4;
  static constexpr int STEPS = RUNS * Codes::STEPS;
  static constexpr int SLICE = STEPS * 16; /* columns of a warp */
  static constexpr int K = 2 * SLICE;      /* columns of a tile */
  static constexpr int X_ROW = K * 2 + 32; /* bytes; 4 rows begin in 4 places of banks */
  static constexpr int X = ROWS * X_ROW;
  static constexpr int STAGE = X + FEATURES * CODE_ROW;
  static constexpr int CLOSES = STEPS / CLOSE;
  static constexpr int ACROSS = CLOSES < 4 ? CLOSES : 4; /* scales of a row, in as many lanes */
  static constexpr int DEEP = CLOSES / ACROSS;

  /* Of half h: feature lane / ACROSS, from its group d · ACROSS + lane % ACROSS of the tile on. */
  struct Scales {
    float scale[M][2][DEEP], zero[M][2][DEEP];
  };

  struct Sums {
    float all[M][N][4];  /* finished groups */
    float open[M][N][4]; /* the group that is being added up */
    float x[N][4];       /* of x alone; every feature's are the same */
  };

  /* What a thread copies of a tile: a chunk of several rows of x, and of several of codes. */
  static constexpr int X_CHUNKS = K / 8;
  static constexpr int X_STEP = THREADS / X_CHUNKS; /* rows from one to the next */
  static constexpr int CODE_STEP = THREADS / CHUNKS;
  static constexpr int CODE_COPIES = FEATURES / CODE_STEP;

  const Problem &p;
  Codes numbers;
  unsigned char *ring;
  int first_row, first_feature; /* of the block */
  int lane, slice, warp_feature;
  int shift, groups;
  int x_at, codes_at; /* in a stage, of this lane */
  int scales_at[M][2];
  const bf16 *x_from; /* what to copy next */
  const unsigned char *codes_from;

  __device__ __forceinline__ Packed(const Problem &p, unsigned char *ring, int tile)
      : p(p), numbers(p), ring(ring) {
    lane = threadIdx.x % 32;
    slice = threadIdx.x / (THREADS / 2);
    warp_feature = threadIdx.x / 32 % 4 * M * 16;
    x_at = lane / 4 * X_ROW + slice * SLICE * 2 + lane % 4 * 8;
    codes_at = X + (warp_feature + lane / 4) * CODE_ROW + slice * RUNS * 16 + lane % 4 * 4;
    first_row = blockIdx.x * ROWS;
    first_feature = blockIdx.y * FEATURES;
    shift = p.group ? 31 - __clz(p.group) : 30;
    groups = p.group ? (p.ins + p.group - 1) >> shift : 1;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        int feature = first_feature + warp_feature + m * 16 + h * 8 + lane / ACROSS % 8;
        scales_at[m][h] = min(feature, p.outs - 1) * groups;
      }
    x_from = p.x + (size_t)(first_row + threadIdx.x / X_CHUNKS) * p.x_stride + tile * K +
             threadIdx.x % X_CHUNKS * 8;
    codes_from = p.codes + (first_feature + threadIdx.x / CHUNKS) * Codes::row_bytes(p.ins) +
                 (size_t)tile * (CHUNKS * 16) + threadIdx.x % CHUNKS * 16;
  }

  /* Rows that x does not have, into which nothing is copied. */
  static __device__ __forceinline__ void clear(unsigned char *ring, int from) {
    constexpr int CHUNK_ROW = X_ROW / 16;
    for (int i = from * CHUNK_ROW + threadIdx.x; i < ROWS * CHUNK_ROW; i += THREADS)
#pragma unroll
      for (int stage = 0; stage < STAGES; stage++)
        *reinterpret_cast<uint4 *>(ring + stage * STAGE + i * 16) = {0, 0, 0, 0};
  }

  __device__ __forceinline__ unsigned char *stage_at(int slot) const {
    return ring + (slot & (STAGES - 1)) * STAGE;
  }

  /* Of the next tile; a copy of no bytes reads nothing and writes zeros. */
  __device__ __forceinline__ void copy_x(int slot, int tile) {
    int column = tile * K + threadIdx.x % X_CHUNKS * 8;
#pragma unroll
    for (int i = 0; i < (ROWS + X_STEP - 1) / X_STEP; i++) {
      int r = i * X_STEP + threadIdx.x / X_CHUNKS;
      if (r < ROWS && first_row + r < p.rows)
        copy_async(stage_at(slot) + r * X_ROW + threadIdx.x % X_CHUNKS * 16,
                   x_from + (size_t)(i * X_STEP) * p.x_stride, column < p.ins ? 16 : 0);
    }
    x_from += K;
  }
  __device__ __forceinline__ void copy_codes(int slot, int tile) {
    size_t row_bytes = Codes::row_bytes(p.ins);
    bool in_row = (tile * CHUNKS + threadIdx.x % CHUNKS) * 16 < row_bytes;
#pragma unroll
    for (int i = 0; i < CODE_COPIES; i++) {
      int r = i * CODE_STEP + threadIdx.x / CHUNKS;
      copy_async(stage_at(slot) + X + r * CODE_ROW + threadIdx.x % CHUNKS * 16,
                 codes_from + i * CODE_STEP * row_bytes,
                 in_row && first_feature + r < p.outs ? 16 : 0);
    }
    codes_from += CHUNKS * 16;
  }

  __device__ __forceinline__ void fetch(int tile, Scales &scales) {
#pragma unroll
    for (int d = 0; d < DEEP; d++) {
      int column = tile * K + slice * SLICE + (d * ACROSS + lane % ACROSS) * CLOSE * 16;
      int across = min(column >> shift, groups - 1);
#pragma unroll
      for (int m = 0; m < M; m++)
#pragma unroll
        for (int h = 0; h < 2; h++) {
          scales.scale[m][h][d] = p.scales[scales_at[m][h] + across];
          if (ZEROS) scales.zero[m][h][d] = p.zeros[scales_at[m][h] + across];
        }
    }
  }

  __device__ __forceinline__ void run(const unsigned char *stage, int run, const Scales &scales,
                                      Sums &sums) {
    unsigned w[M][2][Codes::STEPS][2];
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int h = 0; h < 2; h++)
        numbers.decode(*reinterpret_cast<const unsigned *>(
                           stage + codes_at + (m * 16 + h * 8) * CODE_ROW + run * 16),
                       w[m][h]);
#pragma unroll
    for (int s = 0; s < Codes::STEPS; s++) {
      int step = run * Codes::STEPS + s;
#pragma unroll
      for (int n = 0; n < N; n++) {
        uint2 x = *reinterpret_cast<const uint2 *>(stage + x_at + n * 8 * X_ROW + step * 32);
#pragma unroll
        for (int m = 0; m < M; m++)
          multiply_add(sums.open[m][n],
                       {w[m][0][s][0], w[m][1][s][0], w[m][0][s][1], w[m][1][s][1]}, x.x, x.y);
        if (ZEROS)
          multiply_add(sums.x[n], {0x3f803f80u, 0x3f803f80u, 0x3f803f80u, 0x3f803f80u}, x.x, x.y);
      }
      if ((step + 1) % CLOSE == 0) close(step / CLOSE, scales, sums);
    }
  }

  __device__ __forceinline__ void close(int c, const Scales &scales, Sums &sums) {
    int from = lane / 4 * ACROSS + c % ACROSS;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        float scale = shuffle(scales.scale[m][h][c / ACROSS], from);
        float rest = 0;
        if constexpr (ZEROS)
          rest = Codes::rest(scale, shuffle(scales.zero[m][h][c / ACROSS], from));
#pragma unroll
        for (int n = 0; n < N; n++)
#pragma unroll
          for (int e = 0; e < 2; e++) {
            float &all = sums.all[m][n][h * 2 + e], &open = sums.open[m][n][h * 2 + e];
            all = fmaf(open, scale, all);
            if (ZEROS) all = fmaf(sums.x[n][e], rest, all);
            open = 0;
          }
      }
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int e = 0; e < 4; e++) sums.x[n][e] = 0;
  }

  __device__ __forceinline__ void add_up(int first, int end, Sums &sums) {
    constexpr int AHEAD = STAGES - 1;
    for (int i = 0; i < AHEAD && first + i < end; i++) copy_codes(i, first + i);
    Scales later;
    fetch(first, later);
    await_previous();
    for (int i = 0; i < AHEAD; i++) {
      if (first + i < end) copy_x(i, first + i);
      copies_commit();
    }
    clear(ring, p.rows - first_row);
    for (int tile = first; tile < end; tile++) {
      int slot = tile - first;
      copies_wait<STAGES - 2>();
      __syncthreads();  // the tile is there for all, and nobody reads the stage that comes next
      if (tile + AHEAD < end) {
        copy_x(slot + AHEAD, tile + AHEAD);
        copy_codes(slot + AHEAD, tile + AHEAD);
      }
      copies_commit();
      Scales scales = later;
      fetch(tile + 1, later);
#pragma unroll
      for (int r = 0; r < RUNS; r++) run(stage_at(slot), r, scales, sums);
    }
    __syncthreads();
  }

  /* The second half's sums, to the lanes of the first that have those of the same places. */
  __device__ __forceinline__ void join(Sums &sums) {
    float *other = reinterpret_cast<float *>(ring) + threadIdx.x % (THREADS / 2);
    constexpr int COUNT = M * N * 4;
    float *mine = &sums.all[0][0][0];
#pragma unroll
    for (int i = 0; i < COUNT; i++)
      if (slice == 1) other[i * (THREADS / 2)] = mine[i];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < COUNT; i++)
      if (slice == 0) mine[i] += other[i * (THREADS / 2)];
  }

  template <class Out>
  __device__ __forceinline__ void store(const Sums &sums, const float *bias, Out *out,
                                        int out_stride) {
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int n = 0; n < N; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int row = first_row + n * 8 + lane % 4 * 2 + e % 2;
          int feature = first_feature + warp_feature + m * 16 + e / 2 * 8 + lane / 4;
          float sum = sums.all[m][n][e];
          if (row < p.rows && feature < p.outs)
            out[(size_t)row * out_stride + feature] =
                from_float<Out>(bias ? sum + bias[feature] : sum);
        }
  }
};

struct Target {
  const float *bias;
  void *out;
  int out_stride;
  int wide;
  int part_columns;
  float *parts;
};

/* Blocks that have come, of those that share a tile of the result; they end as they began. */
static constexpr int MOST_TILES = 4096;
DEVICE_ZEROS(unsigned, blocks_come, MOST_TILES);

/* The block that comes last adds the parts up, in their order. False for all others. */
template <int COUNT>
__device__ __forceinline__ bool add_parts(float *sums, float *parts) {
  SHARED(unsigned, before, 1);
  constexpr int LANES = THREADS / 2, PART = COUNT * LANES;
  int tile = blockIdx.y * gridDim.x + blockIdx.x;
  float *first = parts + (size_t)tile * gridDim.z * PART + threadIdx.x % LANES;
  if (threadIdx.x < LANES)
#pragma unroll
    for (int i = 0; i < COUNT; i++) first[(size_t)blockIdx.z * PART + i * LANES] = sums[i];
  __threadfence();
  __syncthreads();  // the block has written its part
  if (threadIdx.x == 0) *before = atomicInc(blocks_come + tile, gridDim.z - 1);
  __syncthreads();
  if (*before != gridDim.z - 1) return false;
  __threadfence();
#pragma unroll
  for (int i = 0; i < COUNT; i++) sums[i] = 0;
  for (unsigned part = 0; part < gridDim.z; part++)
#pragma unroll
    for (int i = 0; i < COUNT; i++) sums[i] += __ldcg(first + (size_t)part * PART + i * LANES);
  return true;
}

template <class Codes, int ROWS, int CLOSE, bool ZEROS>
__device__ __forceinline__ void multiply(const Problem &p, const Target &target) {
  typedef Packed<Codes, ROWS, CLOSE, ZEROS> Kernel;
  DYNAMIC_SHARED(unsigned char, ring);
  int tiles = target.part_columns / Kernel::K, first = blockIdx.z * tiles;
  int end = min(first + tiles, (p.ins + Kernel::K - 1) / Kernel::K);
  Kernel kernel(p, ring, first);
  typename Kernel::Sums sums = {};
  kernel.add_up(first, end, sums);
  kernel.join(sums);
  float *all = &sums.all[0][0][0];
  if (gridDim.z > 1 && !add_parts<sizeof(sums.all) / sizeof(float)>(all, target.parts)) return;
  if (threadIdx.x >= THREADS / 2) return;
  if (target.wide)
    kernel.store(sums, target.bias, static_cast<float *>(target.out), target.out_stride);
  else
    kernel.store(sums, target.bias, static_cast<bf16 *>(target.out), target.out_stride);
}

template <class Codes, int ROWS, int CLOSE>
__device__ __forceinline__ void multiply(const Problem &p, const Target &target) {
  if constexpr (Codes::ZEROS)
    if (p.zeros) return multiply<Codes, ROWS, CLOSE, true>(p, target);
  multiply<Codes, ROWS, CLOSE, false>(p, target);
}

template <class Codes, int ROWS>
__device__ __forceinline__ void multiply(const Problem &p, const Target &target) {
  switch (p.group) {
    case 16: return multiply<Codes, ROWS, 1>(p, target);
    case 32:
    case 64: return multiply<Codes, ROWS, 2>(p, target);
    default: return multiply<Codes, ROWS, RUNS * Codes::STEPS>(p, target);
  }
}

#define MULTIPLY(name, Codes, ROWS)                                                              \
  KERNEL __launch_bounds__(THREADS, ROWS == 32 ? 2 : 3) multiply_packed_##name(                  \
      const bf16 *x, int x_stride, const unsigned char *codes, const float *scales,              \
      const float *zeros, int group, const float *bias, void *out, int out_stride, int wide,     \
      int rows, int outs, int ins, int part_columns, float *parts) {                             \
    multiply<Codes, ROWS>({x, x_stride, codes, scales, zeros, group, rows, outs, ins},           \
                          {bias, out, out_stride, wide, part_columns, parts});                   \
  }                                                                                              \
  EXPORT(multiply_packed_##name);

MULTIPLY(int4_8, Int4Codes, 8)
MULTIPLY(int4_16, Int4Codes, 16)
MULTIPLY(int4_32, Int4Codes, 32)
MULTIPLY(int8_8, Int8Codes, 8)
MULTIPLY(int8_16, Int8Codes, 16)
MULTIPLY(int8_32, Int8Codes, 32)
MULTIPLY(fp8_8, Fp8Codes, 8)
MULTIPLY(fp8_16, Fp8Codes, 16)
MULTIPLY(fp8_32, Fp8Codes, 32)
MULTIPLY(code4_8, Code4Codes, 8)
MULTIPLY(code4_16, Code4Codes, 16)
MULTIPLY(code4_32, Code4Codes, 32)
