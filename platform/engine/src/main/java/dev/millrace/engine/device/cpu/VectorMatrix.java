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
 * @param shift column {@code c} has scale {@code c >>> shift}; {@link #PLAIN}: rows are decoded one
 *     number after the other
 */
record VectorMatrix(QuantizedMatrix source, MemorySegment memory, PackedLayout layout, int shift) {
  private static final int ONE_GROUP = 31;
  private static final int PLAIN = -1;

  /** Numbers that a row needs at least for its scales and zeros. */
  static final int SPARE = 2;

  static VectorMatrix of(QuantizedMatrix matrix, Arena arena) {
    var packed = matrix.packed();
    if (!packed.isNative()) {
      packed = arena.allocate(packed.byteSize(), 64).copyFrom(packed);
    }
    var layout = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols());
    return new VectorMatrix(matrix, packed, layout, shift(matrix));
  }

  private static int shift(QuantizedMatrix matrix) {
    if (matrix.inputOrder().length > 0) {
      return PLAIN;
    }
    return switch (matrix.format()) {
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> ONE_GROUP;
      case DeviceFormat.Int8(int group, boolean zeros, _) when !zeros ->
          group == 0 ? ONE_GROUP : Integer.numberOfTrailingZeros(group);
      case DeviceFormat.Int4(int group, _, _) -> Integer.numberOfTrailingZeros(group);
      case DeviceFormat.Int8 _, DeviceFormat.Code4 _, DeviceFormat.Fp8 _, DeviceFormat.Own _ ->
          PLAIN;
    };
  }

  int rows() {
    return source.rows();
  }

  /**
   * Writes a row, and zeros from its end up to {@code stride}.
   *
   * @param spare the caller's, as long as a row at least, and {@link #SPARE}
   */
  void decode(int row, float[] out, int to, int stride, float[] spare) {
    int columns = source.cols();
    if (shift == PLAIN) {
      source.decodeRow(row, spare);
      System.arraycopy(spare, 0, out, to, columns);
    } else {
      decodeVectors(row, out, to, columns, spare);
    }
    Lanes.pad(out, to, columns, stride);
  }

  private void decodeVectors(int row, float[] out, int to, int columns, float[] spare) {
    long at = row * layout.rowBytes();
    switch (source.format()) {
      case DeviceFormat.F32 _ -> VectorDecoder.f32(memory, at, out, to, columns);
      case DeviceFormat.Bf16 _ -> VectorDecoder.bf16(memory, at, out, to, columns);
      case DeviceFormat.F16 _ -> VectorDecoder.f16(memory, at, out, to, columns);
      case DeviceFormat.Int8 _ -> {
        layout.readScales(memory, row, spare, 0);
        VectorDecoder.int8(memory, at, spare, shift, out, to, columns);
      }
      case DeviceFormat.Int4(_, boolean zeros, _) -> {
        layout.readScales(memory, row, spare, 0);
        if (zeros) {
          layout.readZeros(memory, row, spare, layout.groups());
          VectorDecoder.int4(memory, at, spare, layout.groups(), shift, out, to, columns);
        } else {
          VectorDecoder.int4(memory, at, spare, shift, out, to, columns);
        }
      }
      case DeviceFormat.Code4 _, DeviceFormat.Fp8 _, DeviceFormat.Own _ ->
          throw new AssertionError("decoded plainly");
    }
  }
}
