package dev.millrace.cuda;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * Where the parts of a matrix lie in its packed form ({@code docs/device-formats.md}).
 *
 * @param format its name in the kernels' symbols
 * @param scales offset in bytes; 0: none
 * @param zeros offset in bytes; 0: none
 * @param group columns that share a scale; 0: all
 * @param bytes of all parts
 */
record PackedMatrix(String format, long scales, long zeros, int group, long bytes) {
  private static final int ALIGNMENT = 64;

  static PackedMatrix of(QuantizedMatrix matrix) {
    long rows = matrix.rows();
    long numbers = rows * matrix.cols();
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> new PackedMatrix("f32", 0, 0, 0, 4 * numbers);
      case DeviceFormat.Bf16 _ -> new PackedMatrix("bf16", 0, 0, 0, 2 * numbers);
      case DeviceFormat.F16 _ -> new PackedMatrix("f16", 0, 0, 0, 2 * numbers);
      case DeviceFormat.Int8(int group) -> {
        long scales = aligned(numbers);
        long groups = group == 0 ? 1 : Math.ceilDiv(matrix.cols(), group);
        yield new PackedMatrix("int8", scales, 0, group, scales + 4 * rows * groups);
      }
      case DeviceFormat.Int4(int group, boolean hasZeros) -> {
        long scales = aligned(rows * 16 * Math.ceilDiv(matrix.cols(), 32));
        long end = scales + 4 * rows * Math.ceilDiv(matrix.cols(), group);
        long zeros = hasZeros ? aligned(end) : 0;
        yield new PackedMatrix("int4", scales, zeros, group, hasZeros ? zeros + end - scales : end);
      }
    };
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }
}
