/*
 * The primitives that kernels are written in. All inline PTX stands here; each primitive has a twin
 * of the same name in emulator/device.h, with what it does.
 */
#ifndef MILLRACE_PRIMITIVES_CUH
#define MILLRACE_PRIMITIVES_CUH

#ifndef __CUDACC__
#include "emulator/device.h"
#else

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#define EXPORT(name) static_assert(true, "")
#define SHARED(type, name, count) __shared__ type name[count]
#define OUT_OF_LINE __noinline__
#define DEVICE_ZEROS(type, name, count) __device__ type name[count]
#define DYNAMIC_SHARED(type, name)                                    \
  extern __shared__ __align__(1024) unsigned char dynamic_shared_[]; \
  type *const name = reinterpret_cast<type *>(dynamic_shared_)

typedef __nv_bfloat16 bf16;

__device__ __forceinline__ float as_float(unsigned bits) { return __uint_as_float(bits); }
__device__ __forceinline__ unsigned as_bits(float f) { return __float_as_uint(f); }
__device__ __forceinline__ float to_float(bf16 x) { return __bfloat162float(x); }
__device__ __forceinline__ bf16 to_bf16(float f) { return __float2bfloat16_rn(f); }
__device__ __forceinline__ float to_float(half x) { return __half2float(x); }
__device__ __forceinline__ half to_half(float f) { return __float2half_rn(f); }

__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<unsigned *>(&pair);
}
__device__ __forceinline__ unsigned subtract_bf16(unsigned pair, unsigned by) {
  __nv_bfloat162 difference = __hsub2(*reinterpret_cast<__nv_bfloat162 *>(&pair),
                                      *reinterpret_cast<__nv_bfloat162 *>(&by));
  return *reinterpret_cast<unsigned *>(&difference);
}

__device__ __forceinline__ unsigned multiply_bf16(unsigned pair, unsigned by) {
  __nv_bfloat162 product = __hmul2(*reinterpret_cast<__nv_bfloat162 *>(&pair),
                                   *reinterpret_cast<__nv_bfloat162 *>(&by));
  return *reinterpret_cast<unsigned *>(&product);
}

__device__ __forceinline__ float exp2_approximate(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float reciprocal_root(float x) { return 1 / sqrtf(x); }

template <class T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
template <class T>
__device__ __forceinline__ T shuffle(T value, int from) {
  return __shfl_sync(0xffffffffu, value, from);
}
__device__ __forceinline__ unsigned lanes_where(bool holds) { return __ballot_sync(0xffffffffu, holds); }
__device__ __forceinline__ void sync_warp() { __syncwarp(); }

__device__ __forceinline__ unsigned shared_address(const void *p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
__device__ __forceinline__ void copy_async(void *target, const void *source, unsigned bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(target)),
               "l"(source), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void copies_commit() {
  asm volatile("cp.async.commit_group;\n" ::: "memory");
}
template <int N>
__device__ __forceinline__ void copies_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory");
}

/* Sixteen bytes that are not read again: they take nobody's place in the L1 cache. */
__device__ __forceinline__ uint4 load_once(const void *p) {
  uint4 x;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
               : "l"(p));
  return x;
}

/* Does nothing on cards before Hopper, where kernels do not overlap. */
__device__ __forceinline__ void await_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrices_transposed(unsigned (&r)[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void multiply_add(float (&c)[4], const unsigned (&a)[4], unsigned b0,
                                             unsigned b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#endif

#define KERNEL extern "C" __global__ void

/*
 * What a kernel does before all else but reading constants: what earlier ones wrote is there. The next
 * one comes onto the card as the last blocks leave it.
 */
__device__ __forceinline__ void begin() { await_previous(); }

/* Sums over the lanes of a warp; every lane gets the same bits. */
template <class T>
__device__ __forceinline__ T warp_sum(T x) {
  for (int mask = 16; mask > 0; mask >>= 1) x += shuffle_xor(x, mask);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
  for (int mask = 16; mask > 0; mask >>= 1) x = fmaxf(x, shuffle_xor(x, mask));
  return x;
}

/* Sums over a block of WARPS warps, all of which must call; `scratch` has room for one per warp. */
template <int WARPS>
__device__ __forceinline__ float block_sum(float x, float *scratch) {
  x = warp_sum(x);
  __syncthreads();  // whoever still reads an earlier sum
  if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < WARPS; i++) sum += scratch[i];
  return sum;
}
template <int WARPS>
__device__ __forceinline__ float block_max(float x, float *scratch) {
  x = warp_max(x);
  __syncthreads();
  if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
  __syncthreads();
  float largest = scratch[0];
  for (int i = 1; i < WARPS; i++) largest = fmaxf(largest, scratch[i]);
  return largest;
}

#endif
