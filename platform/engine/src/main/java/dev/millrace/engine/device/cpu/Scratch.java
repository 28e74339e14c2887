package dev.millrace.engine.device.cpu;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory outside the heap for what a step computes with, kept from step to step. */
final class Scratch {
  private static final int LINE = 64;

  private Scratch() {}

  /**
   * The memory that is held if it has so many bytes, else new memory with other contents, freed
   * when nobody refers to it.
   *
   * @throws InferenceException {@code OUT_OF_MEMORY}
   */
  static MemorySegment atLeast(MemorySegment held, long bytes) {
    if (held.byteSize() >= bytes) {
      return held;
    }
    try {
      return Arena.ofAuto().allocate(bytes, LINE);
    } catch (OutOfMemoryError e) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "no " + bytes + " bytes of memory for a step; lower max-num-batched-tokens",
          e);
    }
  }
}
