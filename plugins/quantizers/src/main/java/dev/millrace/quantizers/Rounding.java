package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;
import java.util.Arrays;

/**
 * Makes matrices of plain numbers coarser at load: each weight goes to the nearest number that the
 * format has. Rows are read and packed in parallel.
 */
final class Rounding {
  private static final int LARGEST_INT8 = 127;
  private static final int LOWEST_INT4 = -8;
  private static final int HIGHEST_INT4 = 7;

  /** Added to a small number, leaves no room for its fraction: rounds to nearest, ties to even. */
  private static final float TO_WHOLE = 0x1.8p23f;

  private Rounding() {}

  /**
   * Signed bytes from −127 to 127.
   *
   * @param group columns that share a scale; 0: all of a row
   */
  static PackedMatrix int8(FloatMatrix source, int group, Checkpoint checkpoint) {
    return packed(source, new DeviceFormat.Int8(group), group, Rounding::int8, checkpoint);
  }

  /**
   * Codes from −8 to 7. The weight of a group that is farthest from 0 becomes −8, so that a scale
   * may be negative, as in llama.cpp's Q4_0: all sixteen codes are used. An eighth of a BF16 number
   * is one too, so matrices of these have their scales in BF16.
   */
  static PackedMatrix int4(FloatMatrix source, int group, Checkpoint checkpoint) {
    var scales = source.format() instanceof DeviceFormat.Bf16 ? ScaleType.BF16 : ScaleType.F32;
    return packed(
        source,
        new DeviceFormat.Int4(group, false, scales),
        group,
        (weights, from, to, codes) -> int4(weights, from, to, scales, codes),
        checkpoint);
  }

  /** E4M3, a scale for each row. */
  static PackedMatrix fp8(FloatMatrix source, Checkpoint checkpoint) {
    var matrix = allocate(source, new DeviceFormat.Fp8(1, 0), checkpoint);
    Packing.forEachRow(
        matrix.rows(),
        () -> {
          var rows = source.reader();
          float[] weights = new float[matrix.cols()];
          byte[] bytes = new byte[matrix.cols()];
          return row -> {
            rows.read(row, weights);
            float largest = largest(weights, 0, weights.length);
            check(largest, row, source);
            float scale = scale(largest, Float8.LARGEST);
            for (int i = 0; i < bytes.length; i++) {
              bytes[i] = scale == 0 ? 0 : Float8.toE4m3(weights[i] / scale);
            }
            matrix.put(row, bytes);
            matrix.putScales(row, new float[] {scale});
          };
        });
    return matrix;
  }

  /** Rounds the weights of one group, and gives its scale. */
  private interface Group {
    float round(float[] weights, int from, int to, byte[] codes);
  }

  private static PackedMatrix packed(
      FloatMatrix source, DeviceFormat format, int group, Group rounding, Checkpoint checkpoint) {
    var matrix = allocate(source, format, checkpoint);
    Packing.fill(
        matrix,
        () -> {
          var rows = source.reader();
          float[] weights = new float[matrix.cols()];
          return (row, out) -> {
            rows.read(row, weights);
            check(largest(weights, 0, weights.length), row, source);
            for (int g = 0; g < out.scales().length; g++) {
              int to = group == 0 ? weights.length : Math.min(weights.length, (g + 1) * group);
              out.scales()[g] = rounding.round(weights, g * group, to, out.codes());
            }
          };
        });
    return matrix;
  }

  private static PackedMatrix allocate(
      FloatMatrix source, DeviceFormat format, Checkpoint checkpoint) {
    return PackedMatrix.allocate(
        source.tensor() + " as " + format,
        source.rows(),
        source.cols(),
        format,
        new int[0],
        checkpoint);
  }

  private static float int8(float[] weights, int from, int to, byte[] codes) {
    float scale = scale(largest(weights, from, to), LARGEST_INT8);
    for (int i = from; i < to; i++) {
      codes[i] = scale == 0 ? 0 : (byte) Math.rint(weights[i] / (double) scale);
    }
    return scale;
  }

  private static float int4(float[] weights, int from, int to, ScaleType type, byte[] codes) {
    float lowest = 0;
    float highest = 0;
    for (int i = from; i < to; i++) {
      lowest = Math.min(lowest, weights[i]);
      highest = Math.max(highest, weights[i]);
    }
    float scale = (highest > -lowest ? highest : lowest) / LOWEST_INT4;
    if (type == ScaleType.BF16) { // exact but for subnormal numbers
      scale = Float.intBitsToFloat(Float.floatToRawIntBits(scale) & 0xFFFF0000);
    }
    if (scale == 0) {
      Arrays.fill(codes, from, to, (byte) 0);
      return 0;
    }
    for (int i = from; i < to; i++) {
      float whole = weights[i] / scale + TO_WHOLE - TO_WHOLE;
      codes[i] = (byte) Math.max(LOWEST_INT4, Math.min(HIGHEST_INT4, whole));
    }
    return scale;
  }

  private static float largest(float[] weights, int from, int to) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(weights[i]));
    }
    return largest;
  }

  private static void check(float largest, int row, FloatMatrix source) {
    // max passes a NaN on, and this comparison catches it
    if (!(largest <= Float.MAX_VALUE)) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          source.tensor()
              + " has a NaN or infinite weight in row "
              + row
              + ", which no coarser format can hold");
    }
  }

  private static float scale(float largest, int steps) {
    float scale = largest / steps;
    if (scale * steps > Float.MAX_VALUE) {
      return Math.nextDown(scale);
    }
    // a subnormal scale may have been rounded down by a half: then its steps would not reach
    return largest > 0 && scale < Float.MIN_NORMAL ? Math.nextUp(scale) : scale;
  }
}
