package dev.millrace.engine.device.cpu;

import java.util.Locale;

/** What the native kernels are compiled for, the fastest first. */
public enum InstructionSet {
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
}
