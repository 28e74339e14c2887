package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.random.RandomGenerator;

/** Random matrices in each device format, for tests of devices. */
public final class EncodedMatrix {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private EncodedMatrix() {}

  /** Every format there is, with each of its parameters. */
  public static List<DeviceFormat> formats() {
    return List.of(
        new DeviceFormat.F32(),
        new DeviceFormat.Bf16(),
        new DeviceFormat.F16(),
        new DeviceFormat.Int8(0),
        new DeviceFormat.Int8(16),
        new DeviceFormat.Int8(32),
        new DeviceFormat.Int4(16, false),
        new DeviceFormat.Int4(32, false),
        new DeviceFormat.Int4(64, false),
        new DeviceFormat.Int4(128, false),
        new DeviceFormat.Int4(16, true),
        new DeviceFormat.Int4(32, true),
        new DeviceFormat.Int4(64, true),
        new DeviceFormat.Int4(128, true));
  }

  /**
   * A matrix whose products with normal inputs are about 1. Its bytes lie outside the heap, at an
   * odd address, with random ones wherever the format says that they mean nothing.
   */
  public static QuantizedMatrix random(
      int rows, int cols, DeviceFormat format, RandomGenerator random) {
    long length = new PackedRows(new PlainMatrices.Matrix(rows, cols, format, empty())).length();
    // freed when nobody can reach the matrix any more, which suits a test
    var bytes = Arena.ofAuto().allocate(length + 1, 8).asSlice(1);
    for (long i = 0; i < length; i++) {
      int b = random.nextInt(256);
      bytes.set(JAVA_BYTE, i, (byte) (b == 128 ? 0 : b)); // INT8 has no -128
    }
    var matrix = new PlainMatrices.Matrix(rows, cols, format, bytes);
    fillFloats(matrix, bytes, random);
    return matrix;
  }

  /** Puts numbers wherever the format has floating-point ones. */
  private static void fillFloats(
      PlainMatrices.Matrix matrix, MemorySegment bytes, RandomGenerator random) {
    double size = 1 / Math.sqrt(matrix.cols());
    long count = Math.multiplyFull(matrix.rows(), matrix.cols());
    var layout = new PackedRows(matrix);
    switch (matrix.format()) {
      case DeviceFormat.F32 _ -> {
        for (long i = 0; i < count; i++) {
          bytes.set(FLOAT, 4 * i, (float) (size * random.nextGaussian()));
        }
      }
      case DeviceFormat.Bf16 _ -> {
        for (long i = 0; i < count; i++) {
          int bits = Float.floatToRawIntBits((float) (size * random.nextGaussian()));
          bytes.set(SHORT, 2 * i, (short) (bits >> 16));
        }
      }
      case DeviceFormat.F16 _ -> {
        for (long i = 0; i < count; i++) {
          bytes.set(SHORT, 2 * i, Float.floatToFloat16((float) (size * random.nextGaussian())));
        }
      }
      case DeviceFormat.Int8(int group) -> {
        for (long i = 0; i < matrix.rows() * layout.groups(group); i++) {
          long at = layout.scales() + 4 * i;
          bytes.set(FLOAT, at, (float) (size / 74 * random.nextDouble(0.5, 1.5)));
        }
      }
      case DeviceFormat.Int4(int group, boolean zeros) -> {
        for (long i = 0; i < matrix.rows() * layout.groups(group); i++) {
          double scale = size / 4.6 * random.nextDouble(0.5, 1.5) * (random.nextBoolean() ? 1 : -1);
          bytes.set(FLOAT, layout.scales() + 4 * i, (float) scale);
          if (zeros) {
            float zero = (float) (scale * random.nextDouble(6, 9));
            bytes.set(FLOAT, layout.zeros(group) + 4 * i, zero);
          }
        }
      }
    }
  }

  private static MemorySegment empty() {
    return MemorySegment.ofArray(new byte[0]);
  }
}
