package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import dev.millrace.testkit.EncodedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.random.RandomGenerator;

/** A random matrix of weights, with the four parameters that kernels take of it. */
record DeviceWeights(
    QuantizedMatrix matrix,
    MemorySegment data,
    MemorySegment scales,
    MemorySegment zeros,
    int group) {
  /** The formats that kernels read; scales are widened on their way to the device. */
  static List<DeviceFormat> formats() {
    return EncodedMatrix.formats().stream()
        .filter(format ->
            switch (format) {
              case DeviceFormat.F32 _,
                  DeviceFormat.Bf16 _,
                  DeviceFormat.F16 _,
                  DeviceFormat.Fp8 _,
                  DeviceFormat.Code4 _ ->
                  true;
              case DeviceFormat.Int4(_, _, var scales) -> scales == ScaleType.F32;
              case DeviceFormat.Int8(_, _, var scales) -> scales == ScaleType.F32;
              case DeviceFormat.Own _ -> false;
            })
        .toList();
  }

  static DeviceWeights random(int rows, int cols, DeviceFormat format, RandomGenerator random) {
    var matrix = EncodedMatrix.random(rows, cols, format, random);
    var layout = PackedLayout.of(format, rows, cols);
    // each part in memory of its own, of which a kernel may not read more
    var data = DeviceArrays.of(matrix.packed().asSlice(0, rows * layout.rowBytes()));
    return switch (format) {
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _ ->
          new DeviceWeights(matrix, data, MemorySegment.NULL, MemorySegment.NULL, 0);
      case DeviceFormat.Int8(int group, boolean zeros, _) ->
          coded(matrix, data, layout, group, zeros);
      case DeviceFormat.Int4(int group, boolean zeros, _) ->
          coded(matrix, data, layout, group, zeros);
      case DeviceFormat.Fp8 fp8 -> {
        var scales = rowScales(fp8, matrix.packed().asSlice(layout.scales()), rows, cols);
        yield new DeviceWeights(
            matrix, data, DeviceArrays.of(scales), MemorySegment.NULL, fp8.blockCols());
      }
      case DeviceFormat.Code4(int group) -> {
        var table = matrix.packed().asSlice(layout.behind());
        for (long i = 0; i < 16; i++) { // tensor cores take them as BF16
          float number = table.get(JAVA_FLOAT_UNALIGNED, 4 * i);
          table.set(JAVA_FLOAT_UNALIGNED, 4 * i, Bfloat16.toFloat(Bfloat16.of(number)));
        }
        long bytes = rows * layout.lineBytes();
        var scales = DeviceArrays.of(matrix.packed().asSlice(layout.scales(), bytes));
        yield new DeviceWeights(matrix, data, scales, DeviceArrays.of(table), group);
      }
      case DeviceFormat.Own _ -> throw new IllegalArgumentException("no kernel reads " + format);
    };
  }

  private static DeviceWeights coded(
      QuantizedMatrix matrix, MemorySegment data, PackedLayout layout, int group, boolean zeros) {
    var packed = matrix.packed();
    long bytes = matrix.rows() * layout.lineBytes();
    return new DeviceWeights(
        matrix,
        data,
        DeviceArrays.of(packed.asSlice(layout.scales(), bytes)),
        zeros ? DeviceArrays.of(packed.asSlice(layout.behind(), bytes)) : MemorySegment.NULL,
        group);
  }

  /** The scales of blocks, for each row. */
  private static float[] rowScales(DeviceFormat.Fp8 fp8, MemorySegment blocks, int rows, int cols) {
    int across = fp8.blockCols() == 0 ? 1 : Math.ceilDiv(cols, fp8.blockCols());
    float[] scales = new float[rows * across];
    for (int i = 0; i < scales.length; i++) {
      int down = fp8.blockRows() == 0 ? 0 : i / across / fp8.blockRows();
      scales[i] = blocks.get(JAVA_FLOAT_UNALIGNED, 4L * (down * across + i % across));
    }
    return scales;
  }

  /** How kernels name the format. */
  String suffix() {
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> "f32";
      case DeviceFormat.Bf16 _ -> "bf16";
      case DeviceFormat.F16 _ -> "f16";
      case DeviceFormat.Int8 _ -> "int8";
      case DeviceFormat.Int4 _ -> "int4";
      case DeviceFormat.Fp8 _ -> "fp8";
      case DeviceFormat.Code4 _ -> "code4";
      case DeviceFormat.Own _ ->
          throw new IllegalStateException("no kernel reads " + matrix.format());
    };
  }

  double[] row(int row) {
    float[] numbers = new float[matrix.cols()];
    matrix.decodeRow(row, numbers);
    double[] out = new double[numbers.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = numbers[i];
    }
    return out;
  }

  /** The exact product of rows with the matrix. */
  double[][] product(DeviceRows x, float[] bias) {
    double[][] out = new double[x.rows()][matrix.rows()];
    for (int feature = 0; feature < matrix.rows(); feature++) {
      double[] weights = row(feature);
      for (int r = 0; r < out.length; r++) {
        double[] in = x.row(r);
        double sum = bias.length == 0 ? 0 : bias[feature];
        for (int i = 0; i < weights.length; i++) {
          sum += in[i] * weights[i];
        }
        out[r][feature] = sum;
      }
    }
    return out;
  }
}
