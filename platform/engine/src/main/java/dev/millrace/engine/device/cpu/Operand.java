package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.DeviceFormat;

/** The form in which a matrix's product takes its activations. */
enum Operand {
  FLOATS,

  /** BF16 in the order of columns. */
  ROUNDED,

  /** BF16 in the order in which two codes a byte come apart. */
  ROUNDED_FOR_NIBBLES,

  /** Tiles of bytes: {@code struct activations} of {@code integers.h}. */
  BYTES;

  /**
   * The one that is multiplied fastest.
   *
   * @param exact whether activations stay in F32
   */
  static Operand of(DeviceFormat format, boolean exact, NativeFunctions functions) {
    if (exact) {
      return FLOATS;
    }
    var rounded = functions.rounds() ? ROUNDED : FLOATS;
    var nibbles = functions.rounds() ? ROUNDED_FOR_NIBBLES : FLOATS;
    return switch (format) {
      case DeviceFormat.F32 _, DeviceFormat.F16 _ -> FLOATS;
      case DeviceFormat.Bf16 _, DeviceFormat.Fp8 _ -> rounded;
      case DeviceFormat.Code4 _ -> nibbles;
      case DeviceFormat.Int8 _ -> functions.quantises() ? BYTES : rounded;
      case DeviceFormat.Int4 _ -> functions.quantises() ? BYTES : nibbles;
      case DeviceFormat.Own _ -> throw new AssertionError("multiplied with in Java");
    };
  }
}
