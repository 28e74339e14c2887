package dev.millrace.engine.device.cpu;

import java.util.Locale;

/** What the native kernels are compiled for, the fastest first. */
public enum InstructionSet {
  /** AMX's tiles of BF16 numbers: activations are rounded for them. */
  AMX(8),
  /** AVX-512 with instructions that multiply BF16 numbers: activations are rounded for them. */
  AVX512BF16(4),
  AVX512(2),
  AVX2(1);

  private final int bit;

  InstructionSet(int bit) {
    this.bit = bit;
  }

  /** As users and the library's symbols write it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean in(int bits) {
    return (bits & bit) != 0;
  }

  /** The set whose kernels compute what there is no kernel of this one for. */
  InstructionSet others() {
    return this == AMX ? AVX512BF16 : this;
  }

  /** Whether products are so fast that many rows of activations want large slices of weights. */
  boolean takesLargeSlices() {
    return this == AMX;
  }

  /** Whether products with rounded activations take four-bit codes in bands, not in rows. */
  boolean takesBands() {
    return this == AVX512BF16;
  }

  /** Whether linears in BF16, INT8 and INT4 take their activations in BF16 instead of F32. */
  public boolean roundsActivations() {
    return this == AMX || this == AVX512BF16;
  }
}
