/* What a kernel is written in, for g++: CUDA's own words, and the primitives of primitives.cuh. */
#ifndef MILLRACE_EMULATED_DEVICE_H
#define MILLRACE_EMULATED_DEVICE_H

#include <algorithm>
#include <cmath>
#include <cstring>

#include "emulator.h"

#define __global__
#define __device__
#define __host__
#define __restrict__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define OUT_OF_LINE __attribute__((noinline))
#define threadIdx (emulator::ThreadIndex())
#define blockIdx emulator::state.index
#define blockDim emulator::state.block
#define gridDim emulator::state.grid
#define __syncthreads() emulator::barrier()

#define EXPORT(name) static const emulator::Registered<&name> name##_registered(#name)
#define SHARED(type, name, count)                            \
  static thread_local emulator::SharedSlot name##_slot;      \
  type *const name = static_cast<type *>(name##_slot.get(sizeof(type) * (count)))
/* Zeros when a module is loaded; here each thread of the host has its own. */
#define DEVICE_ZEROS(type, name, count) static thread_local type name[count]
#define DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(emulator::dynamic_shared())

struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }

using std::max;
using std::min;

struct bf16 {
  uint16_t bits;
};
struct half {
  uint16_t bits;
};

inline float as_float(unsigned bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
inline unsigned as_bits(float f) {
  unsigned bits;
  std::memcpy(&bits, &f, 4);
  return bits;
}

inline float to_float(bf16 x) { return as_float((unsigned)x.bits << 16); }
inline bf16 to_bf16(float f) {
  unsigned bits = as_bits(f);
  if ((bits & 0x7fffffff) > 0x7f800000) return {0x7fff};  // the device's one NaN
  return {(uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}
inline float to_float(half x) { _Float16 h; std::memcpy(&h, &x, 2); return (float)h; }
inline half to_half(float f) { _Float16 h = (_Float16)f; half x; std::memcpy(&x, &h, 2); return x; }

/* Two numbers in one word, the first in its lower half. */
inline unsigned pack_bf16(float low, float high) {
  return to_bf16(low).bits | (unsigned)to_bf16(high).bits << 16;
}
/* Each half of the word minus that of the other. */
inline unsigned subtract_bf16(unsigned pair, unsigned by) {
  return pack_bf16(as_float(pair << 16) - as_float(by << 16),
                   as_float(pair & 0xffff0000u) - as_float(by & 0xffff0000u));
}
/* Each half of the word times that of the other; numbers below the normal ones count. */
inline unsigned multiply_bf16(unsigned pair, unsigned by) {
  return pack_bf16(as_float(pair << 16) * as_float(by << 16),
                   as_float(pair & 0xffff0000u) * as_float(by & 0xffff0000u));
}

inline float exp2_approximate(float x) { return exp2f(x); }
inline float reciprocal_root(float x) { return 1 / sqrtf(x); }

template <class T>
inline T shuffle_xor(T value, int mask) {
  struct Lane { T in, out; int mask; } lane{value, value, mask};
  emulator::collective("shuffle_xor", lane, [](Lane **lanes) {
    for (int i = 0; i < 32; i++) lanes[i]->out = lanes[i ^ lanes[i]->mask]->in;
  });
  return lane.out;
}
template <class T>
inline T shuffle(T value, int from) {
  struct Lane { T in, out; int from; } lane{value, value, from};
  emulator::collective("shuffle", lane, [](Lane **lanes) {
    for (int i = 0; i < 32; i++) lanes[i]->out = lanes[lanes[i]->from & 31]->in;
  });
  return lane.out;
}
/* A bit a lane: whether it holds there. */
inline unsigned lanes_where(bool holds) {
  struct Lane { bool in; unsigned out; } lane{holds, 0};
  emulator::collective("lanes_where", lane, [](Lane **lanes) {
    unsigned all = 0;
    for (int i = 0; i < 32; i++) all |= (unsigned)lanes[i]->in << i;
    for (int i = 0; i < 32; i++) lanes[i]->out = all;
  });
  return lane.out;
}
inline void sync_warp() {
  int nothing = 0;
  emulator::collective("sync_warp", nothing, [](int **) {});
}

inline void land(const emulator::Copy &copy) {
  std::memcpy(copy.target, copy.source, copy.bytes);
  std::memset(static_cast<char *>(copy.target) + copy.bytes, 0, 16 - copy.bytes);
}
/* 16 bytes from global to shared memory, zeros beyond the first `bytes`; both ends aligned. */
inline void copy_async(void *target, const void *source, unsigned bytes) {
  if ((reinterpret_cast<uintptr_t>(target) | reinterpret_cast<uintptr_t>(source)) & 15)
    emulator::fail("an asynchronous copy at an address that is no multiple of 16");
  emulator::Copy copy{target, source, bytes};
  if (emulator::early) land(copy);
  else emulator::state.current->open.push_back(copy);
}
inline void copies_commit() {
  auto &fiber = *emulator::state.current;
  fiber.groups.push_back(std::move(fiber.open));
  fiber.open.clear();
}
/* Waits until at most N of this thread's groups have not landed. */
template <int N>
inline void copies_wait() {
  auto &groups = emulator::state.current->groups;
  while ((int)groups.size() > N) {
    for (auto &copy : groups.front()) land(copy);
    groups.pop_front();
  }
}

/* Sixteen bytes that no kernel writes while this one runs. */
inline uint4 load_once(const void *p) {
  if (reinterpret_cast<uintptr_t>(p) & 15) emulator::fail("a load of sixteen bytes at an odd address");
  uint4 x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

/* Waits until all kernels before this one have ended; every thread must, before it touches their data. */
inline void await_previous() { emulator::state.current->awaited = true; }

struct MatrixLoad {
  const uint16_t *row;
  unsigned *registers;
};
inline MatrixLoad checked_row(unsigned (&registers)[4], const void *row) {
  if (reinterpret_cast<uintptr_t>(row) & 15) emulator::fail("a row of a matrix at an odd address");
  return {static_cast<const uint16_t *>(row), registers};
}
/* ldmatrix.x4: lanes 8i to 8i + 7 name the rows of the i-th 8 x 8 matrix. */
inline void load_matrices(unsigned (&registers)[4], const void *row) {
  MatrixLoad load = checked_row(registers, row);
  emulator::collective("load_matrices", load, [](MatrixLoad **lanes) {
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < 4; i++)
        std::memcpy(&lanes[lane]->registers[i], lanes[i * 8 + lane / 4]->row + lane % 4 * 2, 4);
  });
}
/* The same, each matrix transposed. */
inline void load_matrices_transposed(unsigned (&registers)[4], const void *row) {
  MatrixLoad load = checked_row(registers, row);
  emulator::collective("load_matrices_transposed", load, [](MatrixLoad **lanes) {
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < 4; i++) {
        int column = lane / 4, k = lane % 4 * 2;
        lanes[lane]->registers[i] = lanes[i * 8 + k]->row[column] |
                                    (unsigned)lanes[i * 8 + k + 1]->row[column] << 16;
      }
  });
}

struct MatrixProduct {
  float *sums;
  const unsigned *a;
  unsigned b[2];
};
inline float half_of(unsigned word, int upper) {
  return as_float(upper ? word & 0xffff0000u : word << 16);
}
/* mma.sync.m16n8k16: sums[16][8] += a[16][16] b[16][8], spread over the lanes as PTX lays it out. */
inline void multiply_add(float (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  MatrixProduct product{sums, a, {b0, b1}};
  emulator::collective("multiply_add", product, [](MatrixProduct **lanes) {
    float left[16][16], right[16][8];
    for (int lane = 0; lane < 32; lane++) {
      int row = lane / 4, k = lane % 4 * 2;
      for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 4; i++)
          left[row + i % 2 * 8][k + i / 2 * 8 + half] = half_of(lanes[lane]->a[i], half);
        for (int i = 0; i < 2; i++) right[k + i * 8 + half][row] = half_of(lanes[lane]->b[i], half);
      }
    }
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < 4; i++) {
        int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        float sum = lanes[lane]->sums[i];
        for (int k = 0; k < 16; k++) sum += left[row][k] * right[k][column];
        lanes[lane]->sums[i] = sum;
      }
  });
}

inline int atomicAdd(int *p, int v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
inline unsigned atomicAdd(unsigned *p, unsigned v) {
  return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
inline unsigned long long atomicAdd(unsigned long long *p, unsigned long long v) {
  return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
inline unsigned atomicOr(unsigned *p, unsigned v) {
  return __atomic_fetch_or(p, v, __ATOMIC_RELAXED);
}
inline int atomicMin(int *p, int v) {
  int old = *p;
  *p = min(old, v);
  return old;
}
/* The next number, 0 after the last one. */
inline unsigned atomicInc(unsigned *p, unsigned last) {
  unsigned old = *p;
  *p = old >= last ? 0 : old + 1;
  return old;
}
inline void __threadfence() {}
inline float __ldcg(const float *p) { return *p; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
/* Bytes of x (0 to 3) and y (4 to 7), chosen by four digits of 3 bits. */
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned chosen) {
  uint64_t both = x | (uint64_t)y << 32;
  unsigned bytes = 0;
  for (int i = 0; i < 4; i++)
    bytes |= (unsigned)(both >> (chosen >> 4 * i & 7) * 8 & 0xff) << 8 * i;
  return bytes;
}
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }

#endif
