package dev.millrace.cuda;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * Where the parts of a matrix lie in device memory: as in its packed form ({@code
 * docs/device-formats.md}), or decoded to F32 if no kernel reads that.
 *
 * @param format its name in the kernels' symbols
 * @param scales offset in bytes; 0: none
 * @param zeros offset in bytes; 0: none
 * @param group columns that share a scale; 0: all
 * @param bytes of all parts
 * @param decoded whether it lies there as F32, whatever its own format
 */
record PackedMatrix(
    String format, long scales, long zeros, int group, long bytes, boolean decoded) {

  static PackedMatrix of(QuantizedMatrix matrix) {
    if (matrix.inputOrder().length > 0) {
      return decoded(matrix);
    }
    var layout = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols());
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> plain("f32", layout);
      case DeviceFormat.Bf16 _ -> plain("bf16", layout);
      case DeviceFormat.F16 _ -> plain("f16", layout);
      case DeviceFormat.Int8(int group, boolean zeros) when !zeros ->
          new PackedMatrix("int8", layout.scales(), 0, group, layout.length(), false);
      case DeviceFormat.Int4(int group, boolean zeros) ->
          new PackedMatrix(
              "int4", layout.scales(), zeros ? layout.behind() : 0, group, layout.length(), false);
      case DeviceFormat.Int8 _, DeviceFormat.Code4 _, DeviceFormat.Fp8 _, DeviceFormat.Own _ ->
          decoded(matrix);
    };
  }

  private static PackedMatrix plain(String format, PackedLayout layout) {
    return new PackedMatrix(format, 0, 0, 0, layout.length(), false);
  }

  private static PackedMatrix decoded(QuantizedMatrix matrix) {
    long bytes = Float.BYTES * Math.multiplyFull(matrix.rows(), matrix.cols());
    return new PackedMatrix("f32", 0, 0, 0, bytes, true);
  }
}
