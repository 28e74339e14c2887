package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A matrix whose rows vectors decode, laid out as {@code docs/device-formats.md} says.
 *
 * @param memory where it lies, or a copy of that if it is on the heap: one kind of memory is what
 *     the compiler can optimize for
 * @param layout where its parts are
 * @param shift column {@code c} has scale {@code c >>> shift}; but of FP8
 */
record VectorMatrix(QuantizedMatrix source, MemorySegment memory, PackedLayout layout, int shift) {
  private static final int ONE_GROUP = 31;

  /** Numbers that a row needs at least for its scales and zeros. */
  static final int SPARE = 2;

  static VectorMatrix of(QuantizedMatrix matrix, Arena arena) {
    var packed = matrix.packed();
    if (!packed.isNative()) {
      packed = arena.allocate(packed.byteSize(), 64).copyFrom(packed);
    }
    var layout = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols());
    return new VectorMatrix(matrix, packed, layout, shift(matrix.format()));
  }

  private static int shift(DeviceFormat format) {
    return switch (format) {
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _, DeviceFormat.Fp8 _ ->
          ONE_GROUP;
      case DeviceFormat.Int8(int group, _, _) ->
          group == 0 ? ONE_GROUP : Integer.numberOfTrailingZeros(group);
      case DeviceFormat.Int4(int group, _, _) -> Integer.numberOfTrailingZeros(group);
      case DeviceFormat.Code4(int group) -> Integer.numberOfTrailingZeros(group);
      case DeviceFormat.Own _ -> throw new AssertionError("multiplied with by its kernel");
    };
  }

  int rows() {
    return source.rows();
  }

  /**
   * Writes a row, its columns as they are packed, and zeros from its end up to {@code stride}.
   *
   * @param spare the caller's, as long as a row at least, and {@link #SPARE}
   */
  void decode(int row, float[] out, int to, int stride, float[] spare) {
    decode(row, out, to, spare);
    Lanes.pad(out, to, source.cols(), stride);
  }

  private void decode(int row, float[] out, int to, float[] spare) {
    int columns = source.cols();
    long at = row * layout.rowBytes();
    switch (source.format()) {
      case DeviceFormat.F32 _ -> VectorDecoder.f32(memory, at, out, to, columns);
      case DeviceFormat.Bf16 _ -> VectorDecoder.bf16(memory, at, out, to, columns);
      case DeviceFormat.F16 _ -> VectorDecoder.f16(memory, at, out, to, columns);
      case DeviceFormat.Int8(_, boolean zeros, _) -> {
        if (readLines(row, zeros, spare)) {
          VectorDecoder.int8(memory, at, spare, layout.groups(), shift, out, to, columns);
        } else {
          VectorDecoder.int8(memory, at, spare, shift, out, to, columns);
        }
      }
      case DeviceFormat.Fp8(int blockRows, _) -> {
        int line = blockRows == 0 ? 0 : row / blockRows;
        layout.readScales(memory, line, spare, 0);
        VectorDecoder.fp8(memory, at, spare, layout.group(), out, to, columns);
      }
      case DeviceFormat.Int4(_, boolean zeros, _) -> {
        if (readLines(row, zeros, spare)) {
          VectorNibbles.int4(memory, at, spare, layout.groups(), shift, out, to, columns);
        } else {
          VectorNibbles.int4(memory, at, spare, shift, out, to, columns);
        }
      }
      case DeviceFormat.Code4 _ -> {
        layout.readScales(memory, row, spare, 0);
        VectorNibbles.code4(memory, at, layout.behind(), spare, shift, out, to, columns);
      }
      case DeviceFormat.Own _ -> throw new AssertionError("multiplied with by its kernel");
    }
  }

  /** Reads a row's scales and, behind them, its zeros; whether there are any. */
  private boolean readLines(int row, boolean zeros, float[] out) {
    layout.readScales(memory, row, out, 0);
    if (zeros) {
      layout.readZeros(memory, row, out, layout.groups());
    }
    return zeros;
  }
}
