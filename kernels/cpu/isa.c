/* Which of this library's instruction sets the machine has. */
#define EXPORTED __attribute__((visibility("default")))

/*
 * Bit 0: AVX2 with FMA and F16C. Bit 1: AVX-512 F, BW, DQ and VL as well. Bit 2: AVX-512 BF16 too.
 * Bit 3: bit 1 and AVX-512 VNNI.
 */
int EXPORTED instruction_sets(void) {
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  int bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  int vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  return avx2 | avx512 << 1 | bf16 << 2 | vnni << 3;
}
