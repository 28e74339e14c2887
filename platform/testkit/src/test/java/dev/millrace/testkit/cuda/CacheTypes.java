package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;

/** How kernels name the types of the cache and of activations. */
final class CacheTypes {
  private CacheTypes() {}

  static String suffix(KvDtype type) {
    return switch (type) {
      case FLOAT32 -> "f32";
      case BFLOAT16 -> "bf16";
      case FLOAT16 -> "f16";
      case FP8_E4M3 -> "fp8";
      case INT8 -> throw new AssertionError("has no kernels");
    };
  }
}
