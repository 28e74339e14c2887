package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A matrix as the native product takes it.
 *
 * @param format its number in {@code product.c}
 * @param group columns that share a scale; 0: all
 * @param memory what {@code docs/device-formats.md} says, outside the Java heap
 */
record NativeMatrix(long format, long group, long rows, long columns, MemorySegment memory) {

  /** Whether there is a kernel for the matrix. */
  static boolean reads(QuantizedMatrix matrix) {
    boolean format =
        switch (matrix.format()) {
          case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _, DeviceFormat.Int4 _ ->
              true;
          case DeviceFormat.Int8 int8 -> !int8.zeros();
          case DeviceFormat.Code4 _, DeviceFormat.Fp8 _ -> false;
        };
    return format && matrix.inputOrder().length == 0;
  }

  /** Uses the matrix's memory where it lies, or a copy of it if that is on the heap. */
  static NativeMatrix of(QuantizedMatrix matrix, Arena arena) {
    var packed = matrix.packed();
    if (!packed.isNative()) {
      packed = arena.allocate(packed.byteSize(), 64).copyFrom(packed);
    }
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> of(0, 0, matrix, packed);
      case DeviceFormat.Bf16 _ -> of(1, 0, matrix, packed);
      case DeviceFormat.F16 _ -> of(2, 0, matrix, packed);
      case DeviceFormat.Int8 int8 -> of(3, int8.group(), matrix, packed);
      case DeviceFormat.Int4 int4 -> of(int4.zeros() ? 5 : 4, int4.group(), matrix, packed);
      case DeviceFormat.Code4 _, DeviceFormat.Fp8 _ ->
          throw new IllegalArgumentException("no kernel reads " + matrix.format());
    };
  }

  private static NativeMatrix of(
      long format, long group, QuantizedMatrix matrix, MemorySegment packed) {
    return new NativeMatrix(format, group, matrix.rows(), matrix.cols(), packed);
  }

  /** Whether the format holds no more than BF16 can tell apart: all but F32 and F16. */
  boolean rounds() {
    return format != 0 && format != 2;
  }

  long address() {
    return memory.address();
  }
}
