package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A matrix whose rows vectors decode, laid out as {@code docs/device-formats.md} says.
 *
 * @param memory where it lies, or a copy of that if it is on the heap: one kind of memory is what
 *     the compiler can optimize for
 * @param rowBytes from row to row
 * @param groups scales of a row
 * @param shift column {@code c} has scale {@code c >>> shift}
 */
record VectorMatrix(
    QuantizedMatrix source, MemorySegment memory, long rowBytes, int groups, int shift) {
  private static final int ONE_GROUP = 31;

  static VectorMatrix of(QuantizedMatrix matrix, Arena arena) {
    long columns = matrix.cols();
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> of(matrix, arena, Float.BYTES * columns, 0);
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> of(matrix, arena, Short.BYTES * columns, 0);
      case DeviceFormat.Int8(int group) -> of(matrix, arena, columns, group);
      case DeviceFormat.Int4(int group, _) -> of(matrix, arena, (columns + 31) / 32 * 16, group);
    };
  }

  private static VectorMatrix of(QuantizedMatrix matrix, Arena arena, long rowBytes, int group) {
    var packed = matrix.packed();
    if (!packed.isNative()) {
      packed = arena.allocate(packed.byteSize(), 64).copyFrom(packed);
    }
    int groups = group == 0 ? 1 : Math.ceilDiv(matrix.cols(), group);
    int shift = group == 0 ? ONE_GROUP : Integer.numberOfTrailingZeros(group);
    return new VectorMatrix(matrix, packed, rowBytes, groups, shift);
  }

  int rows() {
    return source.rows();
  }

  /** Writes a row, and zeros from its end up to {@code stride}. */
  void decode(int row, float[] out, int to, int stride) {
    int columns = source.cols();
    long at = row * rowBytes;
    switch (source.format()) {
      case DeviceFormat.F32 _ -> VectorDecoder.f32(memory, at, out, to, columns);
      case DeviceFormat.Bf16 _ -> VectorDecoder.bf16(memory, at, out, to, columns);
      case DeviceFormat.F16 _ -> VectorDecoder.f16(memory, at, out, to, columns);
      case DeviceFormat.Int8 _ ->
          VectorDecoder.int8(memory, at, scale(row), shift, out, to, columns);
      case DeviceFormat.Int4(_, boolean zeros) -> {
        if (zeros) {
          long zero = scale(row) - scales() + zeros();
          VectorDecoder.int4(memory, at, scale(row), zero, shift, out, to, columns);
        } else {
          VectorDecoder.int4(memory, at, scale(row), shift, out, to, columns);
        }
      }
    }
    Lanes.pad(out, to, columns, stride);
  }

  private long scales() {
    return to64(rows() * rowBytes);
  }

  private long zeros() {
    return to64(scales() + 4L * rows() * groups);
  }

  private long scale(int row) {
    return scales() + 4L * row * groups;
  }

  private static long to64(long bytes) {
    return (bytes + 63) / 64 * 64;
  }
}
