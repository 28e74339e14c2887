/* Which of this library's instruction sets the machine has. */
#include <cpuid.h>

#include "tile_registers.h"

#define EXPORTED __attribute__((visibility("default")))

#ifdef EMULATED_TILES

static int has_tiles(void) { return 1; }

#else

/* CPUID leaf 7, EDX. */
#define AMX_BF16 (1u << 22)
#define AMX_TILE (1u << 24)

static int has_tiles(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  if (!(d & AMX_BF16) || !(d & AMX_TILE)) return 0;
  return tiles_given();
}

#endif

/*
 * Bit 0: AVX2 with FMA and F16C. Bit 1: AVX-512 F, BW, DQ and VL as well. Bit 2: AVX-512 BF16 and
 * VBMI too. Bit 3: AMX's tiles for BF16 too, which this process may use from now on. Bit 4: bit 1
 * and AVX-512 VNNI.
 */
int EXPORTED instruction_sets(void) {
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  int bf16 = avx512 && __builtin_cpu_supports("avx512bf16") &&
             __builtin_cpu_supports("avx512vbmi");
  int amx = bf16 && has_tiles();
  int vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  return avx2 | avx512 << 1 | bf16 << 2 | amx << 3 | vnni << 4;
}
