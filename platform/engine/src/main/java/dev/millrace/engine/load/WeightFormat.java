package dev.millrace.engine.load;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;
import java.util.Locale;

/**
 * How many of a model's matrices are kept in a format, and in how many bytes.
 *
 * @param format in words, e.g. {@code INT4 in groups of 32}
 */
public record WeightFormat(String format, int matrices, long bytes) {

  /** A device format in words. */
  static String label(DeviceFormat format) {
    return switch (format) {
      case DeviceFormat.F32 _ -> "F32";
      case DeviceFormat.Bf16 _ -> "BF16";
      case DeviceFormat.F16 _ -> "F16";
      case DeviceFormat.Int8(int group, boolean zeros, var scales) ->
          "INT8" + groups(group) + zeros(zeros) + scales(scales);
      case DeviceFormat.Int4(int group, boolean zeros, var scales) ->
          "INT4" + groups(group) + zeros(zeros) + scales(scales);
      case DeviceFormat.Code4(int group) -> "CODE4" + groups(group);
      case DeviceFormat.Fp8(int blockRows, int blockCols) -> "FP8" + blocks(blockRows, blockCols);
      case DeviceFormat.Own _ -> "a format of its plugin's own";
    };
  }

  private static String groups(int group) {
    return group == 0 ? " by row" : " in groups of " + group;
  }

  private static String zeros(boolean zeros) {
    return zeros ? " with zeros" : "";
  }

  private static String scales(ScaleType type) {
    return switch (type) {
      case F32 -> "";
      case F16, BF16 -> ", scales in " + type;
      case TWO_LEVEL -> ", scales on two levels";
    };
  }

  private static String blocks(int rows, int cols) {
    if (rows == 0 && cols == 0) {
      return " by matrix";
    }
    return rows == 1 ? groups(cols) : " in blocks of " + side(rows) + " by " + side(cols);
  }

  private static String side(int size) {
    return size == 0 ? "all" : Integer.toString(size);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s (%d matrices, %,d bytes)", format, matrices, bytes);
  }
}
