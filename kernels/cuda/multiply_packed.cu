/*
 * BF16 activations times INT4 or INT8 weights for few rows, where reading the weights is all the
 * time: they are read as docs/device-formats.md lays them out, once, and become BF16 in registers,
 * where all their codes are exact. Scales and zeros are applied in F32, to the sums of a group:
 *   sum of x · (q − 8) · s  =  s · sum of x · (q − 8),
 *   sum of x · (q · s − z)  =  s · sum of x · (q − 8) + (8 s − z) · sum of x.
 *
 * Within 16 columns the tensor cores do not care which is which, as long as x and W agree. Lane t of
 * a quad takes columns 4t to 4t + 3: of the weights, that is one word.
 */
#include "numbers.cuh"

static constexpr int COLUMNS = 128; /* output features of a block: 32 of each of its four warps */
static constexpr int K = 128;
static constexpr int THREADS = 128;
static constexpr int STAGES = 3;

struct Int4Codes {
  static constexpr int CHUNKS = K / 32; /* of 16 bytes, in a row of a tile */
  static __device__ __forceinline__ size_t row_bytes(int ins) { return (ins + 31) / 32 * 16; }
  static __device__ __forceinline__ int swizzled(int r, int c) { return c ^ (r >> 1 & 3); }
  static __device__ __forceinline__ int chunk(int step) { return step / 2; }
  /* Four codes as two pairs of BF16, less 8: 0x4300 | q is 128 + q. */
  static __device__ __forceinline__ void decode(unsigned word, int step, unsigned (&pairs)[2]) {
    unsigned q = step % 2 ? word >> 4 : word;
    unsigned low = (q & 0x0f) | (q & 0x0f00) << 8, high = (q >> 16 & 0x0f) | (q >> 8 & 0x0f0000);
    pairs[0] = subtract_bf16(low | 0x43004300u, 136);
    pairs[1] = subtract_bf16(high | 0x43004300u, 136);
  }
};

struct Int8Codes {
  static constexpr int CHUNKS = K / 16;
  static __device__ __forceinline__ size_t row_bytes(int ins) { return ins; }
  static __device__ __forceinline__ int swizzled(int r, int c) { return c ^ (r & 7); }
  static __device__ __forceinline__ int chunk(int step) { return step; }
  /* 0x4b0000uu is 2^23 + u. */
  static __device__ __forceinline__ float code(unsigned word, int i) {
    unsigned u = (word >> 8 * i & 0xff) ^ 0x80;
    return as_float(0x4b000000u | u) - 8388736.0f;
  }
  static __device__ __forceinline__ void decode(unsigned word, int, unsigned (&pairs)[2]) {
    pairs[0] = pack_bf16(code(word, 0), code(word, 1));
    pairs[1] = pack_bf16(code(word, 2), code(word, 3));
  }
};

struct Problem {
  const bf16 *x;
  int x_stride;
  const unsigned char *codes;
  const float *scales;
  const float *zeros;
  int group;
  int rows, outs, ins;
};

/* ROWS · 16 rows of x at a time. */
template <class Codes, int ROWS>
struct Packed {
  static constexpr int X = ROWS * 16 * K * 2; /* bytes */
  static constexpr int STAGE = X + COLUMNS * Codes::CHUNKS * 16;

  static __device__ __forceinline__ int x_at(int r, int c) {
    return (r * (K / 8) + (c ^ (r & 7) << 1)) * 16;
  }
  static __device__ __forceinline__ int code_at(int r, int c) {
    return X + (r * Codes::CHUNKS + Codes::swizzled(r, c)) * 16;
  }

  static __device__ __forceinline__ void load(unsigned char *ring, const Problem &p, int tile,
                                              int slot, int end) {
    if (tile < end) {
      unsigned char *stage = ring + slot % STAGES * STAGE;
      int first = blockIdx.y * ROWS * 16;
      for (int i = threadIdx.x; i < ROWS * 16 * (K / 8); i += THREADS) {
        int r = i / (K / 8), c = i % (K / 8), k = tile * K + c * 8;
        bool inside = first + r < p.rows && k < p.ins;
        copy_async(stage + x_at(r, c), inside ? p.x + (size_t)(first + r) * p.x_stride + k : p.x,
                   inside ? 16 : 0);
      }
      size_t row_bytes = Codes::row_bytes(p.ins);
      for (int i = threadIdx.x; i < COLUMNS * Codes::CHUNKS; i += THREADS) {
        int r = i / Codes::CHUNKS, c = i % Codes::CHUNKS;
        size_t feature = (size_t)blockIdx.x * COLUMNS + r, byte = (tile * Codes::CHUNKS + c) * 16;
        bool inside = feature < (size_t)p.outs && byte < row_bytes;
        copy_async(stage + code_at(r, c),
                   inside ? p.codes + feature * row_bytes + byte : p.codes, inside ? 16 : 0);
      }
    }
    copies_commit();
  }

  struct Sums {
    float all[ROWS][4][4];  /* finished groups */
    float open[ROWS][4][4]; /* the group that is being added up */
    float x[ROWS][4];       /* of x alone; every column of a row is the same */
  };

  static __device__ __forceinline__ void step(const unsigned char *stage, int step, bool zeros,
                                              Sums &sums) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    unsigned a[ROWS][4];
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        int r = i * 16 + h * 8 + lane / 4;
        uint2 four = *reinterpret_cast<const uint2 *>(stage + x_at(r, step * 2 + lane % 4 / 2) +
                                                      lane % 2 * 8);
        a[i][h] = four.x;
        a[i][h + 2] = four.y;
      }
#pragma unroll
    for (int j = 0; j < 4; j++) {
      int r = warp * 32 + j * 8 + lane / 4;
      unsigned word = *reinterpret_cast<const unsigned *>(stage + code_at(r, Codes::chunk(step)) +
                                                          lane % 4 * 4);
      unsigned b[2];
      Codes::decode(word, step, b);
#pragma unroll
      for (int i = 0; i < ROWS; i++) multiply_add(sums.open[i][j], a[i], b[0], b[1]);
    }
    if (zeros)
#pragma unroll
      for (int i = 0; i < ROWS; i++) multiply_add(sums.x[i], a[i], 0x3f803f80u, 0x3f803f80u);
  }

  static __device__ __forceinline__ void close(const Problem &p, int group, int groups,
                                               Sums &sums) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
      for (int e = 0; e < 2; e++) {
        int feature = blockIdx.x * COLUMNS + warp * 32 + j * 8 + lane % 4 * 2 + e;
        size_t at = (size_t)min(feature, p.outs - 1) * groups + min(group, groups - 1);
        float scale = p.scales[at];
        float rest = p.zeros ? 8 * scale - p.zeros[at] : 0;
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
          for (int h = 0; h < 2; h++) {
            float &all = sums.all[i][j][h * 2 + e], &open = sums.open[i][j][h * 2 + e];
            all = fmaf(open, scale, all);
            if (p.zeros) all = fmaf(sums.x[i][h * 2 + e], rest, all);
            open = 0;
          }
      }
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
      for (int e = 0; e < 4; e++) sums.x[i][e] = 0;
  }

  static __device__ __forceinline__ void store(const Problem &p, const Sums &sums, float *parts) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    float *out = parts + (size_t)blockIdx.z * p.rows * p.outs;
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
      for (int j = 0; j < 4; j++)
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int row = blockIdx.y * ROWS * 16 + i * 16 + e / 2 * 8 + lane / 4;
          int feature = blockIdx.x * COLUMNS + warp * 32 + j * 8 + lane % 4 * 2 + e % 2;
          if (row < p.rows && feature < p.outs)
            out[(size_t)row * p.outs + feature] = sums.all[i][j][e];
        }
  }

  static __device__ __forceinline__ void run(const Problem &p, int tiles_per_part, float *parts) {
    DYNAMIC_SHARED(unsigned char, ring);
    int first = blockIdx.z * tiles_per_part;
    int end = min(first + tiles_per_part, (p.ins + K - 1) / K);
    int group = p.group ? p.group : p.ins, groups = (p.ins + group - 1) / group;
    for (int i = 0; i < STAGES - 1; i++) load(ring, p, first + i, i, end);
    Sums sums = {};
    for (int tile = first; tile < end; tile++) {
      int slot = tile - first;
      copies_wait<STAGES - 2>();
      __syncthreads();  // the tile is there for all, and nobody reads the stage that comes next
      load(ring, p, tile + STAGES - 1, slot + STAGES - 1, end);
      const unsigned char *stage = ring + slot % STAGES * STAGE;
#pragma unroll
      for (int s = 0; s < K / 16; s++) {
        step(stage, s, p.zeros != nullptr, sums);
        int column = tile * K + s * 16;
        if (p.group && (column + 16) % group == 0) close(p, column / group, groups, sums);
      }
    }
    if (!p.group) close(p, 0, 1, sums);  // other groups end where a tile does
    store(p, sums, parts);
  }
};

#define MULTIPLY(name, Codes, ROWS)                                                              \
  KERNEL __launch_bounds__(THREADS) multiply_packed_##name(                                      \
      const bf16 *x, int x_stride, const unsigned char *codes, const float *scales,              \
      const float *zeros, int group, int rows, int outs, int ins, int tiles_per_part,            \
      float *parts) {                                                                            \
    Packed<Codes, ROWS>::run({x, x_stride, codes, scales, zeros, group, rows, outs, ins},        \
                             tiles_per_part, parts);                                             \
  }                                                                                              \
  EXPORT(multiply_packed_##name);

MULTIPLY(int4_16, Int4Codes, 1)
MULTIPLY(int4_64, Int4Codes, 4)
MULTIPLY(int8_16, Int8Codes, 1)
MULTIPLY(int8_64, Int8Codes, 4)

/* Adds the parts of K up, in their order, and the bias. */
template <class Out>
__device__ __forceinline__ void add_parts(const float *parts, int count, const float *bias,
                                          Out *out, int out_stride, int rows, int outs) {
  int feature = blockIdx.y * 256 + threadIdx.x;
  if (feature >= outs) return;
  size_t row = blockIdx.x;
  float sum = 0;
  for (int i = 0; i < count; i++) sum += parts[((size_t)i * rows + row) * outs + feature];
  out[row * out_stride + feature] = from_float<Out>(bias ? sum + bias[feature] : sum);
}

KERNEL add_parts_bf16(const float *parts, int count, const float *bias, bf16 *out, int out_stride,
                      int rows, int outs) {
  add_parts(parts, count, bias, out, out_stride, rows, outs);
}
EXPORT(add_parts_bf16);
KERNEL add_parts_wide(const float *parts, int count, const float *bias, float *out, int out_stride,
                      int rows, int outs) {
  add_parts(parts, count, bias, out, out_stride, rows, outs);
}
EXPORT(add_parts_wide);
