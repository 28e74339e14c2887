package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Random matrices in each device format, for tests of devices. */
public final class EncodedMatrix {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private EncodedMatrix() {}

  /** Every format there is, with each of its parameters. */
  public static List<DeviceFormat> formats() {
    var formats = new ArrayList<DeviceFormat>();
    formats.add(new DeviceFormat.F32());
    formats.add(new DeviceFormat.Bf16());
    formats.add(new DeviceFormat.F16());
    for (boolean zeros : new boolean[] {false, true}) {
      formats.add(new DeviceFormat.Int8(0, zeros));
      for (int group : new int[] {16, 32, 64, 128}) {
        formats.add(new DeviceFormat.Int8(group, zeros));
        formats.add(new DeviceFormat.Int4(group, zeros));
      }
    }
    for (int group : new int[] {16, 32, 64, 128}) {
      formats.add(new DeviceFormat.Code4(group));
    }
    for (int[] block : new int[][] {{0, 0}, {1, 0}, {1, 16}, {1, 128}, {128, 128}, {3, 32}}) {
      formats.add(new DeviceFormat.Fp8(block[0], block[1]));
    }
    for (boolean zeros : new boolean[] {false, true}) {
      for (var type : new ScaleType[] {ScaleType.F16, ScaleType.BF16}) {
        formats.add(new DeviceFormat.Int8(0, zeros, type));
        formats.add(new DeviceFormat.Int8(32, zeros, type));
        formats.add(new DeviceFormat.Int4(32, zeros, type));
        formats.add(new DeviceFormat.Int4(128, zeros, type));
      }
      for (int group : new int[] {16, 32, 128}) {
        formats.add(new DeviceFormat.Int8(group, zeros, ScaleType.TWO_LEVEL));
        formats.add(new DeviceFormat.Int4(group, zeros, ScaleType.TWO_LEVEL));
      }
    }
    return List.copyOf(formats);
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
      bytes.set(JAVA_BYTE, i, (byte) (isUsed(b, format) ? b : 0));
    }
    var matrix = new PlainMatrices.Matrix(rows, cols, format, bytes);
    fillFloats(matrix, bytes, random);
    return matrix;
  }

  /** As {@link #random}, with the columns in a random order. */
  static QuantizedMatrix reordered(
      int rows, int cols, DeviceFormat format, RandomGenerator random) {
    int[] order = IntStream.range(0, cols).toArray();
    for (int i = cols - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int moved = order[i];
      order[i] = order[other];
      order[other] = moved;
    }
    return inOrder(random(rows, cols, format, random), order);
  }

  /** The same bytes, with their columns for inputs in an order. */
  public static QuantizedMatrix inOrder(QuantizedMatrix matrix, int[] order) {
    return new PlainMatrices.Matrix(
        matrix.rows(), matrix.cols(), matrix.format(), matrix.packed(), order);
  }

  private static boolean isUsed(int b, DeviceFormat format) {
    return switch (format) {
      case DeviceFormat.Int8(_, boolean zeros, _) -> zeros || b != 128;
      case DeviceFormat.Fp8 _ -> (b & 127) != 127;
      case DeviceFormat.F32 _,
          DeviceFormat.Bf16 _,
          DeviceFormat.F16 _,
          DeviceFormat.Int4 _,
          DeviceFormat.Code4 _,
          DeviceFormat.Own _ ->
          true;
    };
  }

  /** Puts numbers wherever the format has floating-point ones. */
  private static void fillFloats(
      PlainMatrices.Matrix matrix, MemorySegment bytes, RandomGenerator random) {
    double size = 1 / Math.sqrt(matrix.cols());
    long count = Math.multiplyFull(matrix.rows(), matrix.cols());
    var layout = new PackedRows(matrix);
    switch (matrix.format()) {
      case DeviceFormat.Own _ -> throw new IllegalArgumentException("only its plugin writes it");
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
      case DeviceFormat.Int8(_, boolean zeros, _) ->
          fillScales(layout, size / 74, false, zeros ? 9 : 0, random);
      case DeviceFormat.Int4(_, boolean zeros, _) ->
          fillScales(layout, size / 4.6, true, zeros ? 7.5 : 0, random);
      case DeviceFormat.Code4 _ -> {
        for (long i = 0; i < matrix.rows() * layout.groups(); i++) {
          double scale = size * random.nextDouble(0.5, 1.5) * (random.nextBoolean() ? 1 : -1);
          bytes.set(FLOAT, layout.scales() + 4 * i, (float) scale);
        }
        for (long i = 0; i < 16; i++) {
          bytes.set(FLOAT, layout.behind() + 4 * i, (float) random.nextGaussian());
        }
      }
      case DeviceFormat.Fp8 _ -> {
        for (long at = layout.scales(); at < layout.length(); at += 4) {
          bytes.set(FLOAT, at, (float) (size / 100 * random.nextDouble(0.5, 1.5)));
        }
      }
    }
  }

  /**
   * Scales of about a size, of both signs if asked or on two levels, and zeros.
   *
   * @param zero about so many times as large as a scale; 0: none
   */
  private static void fillScales(
      PackedRows layout, double size, boolean signed, double zero, RandomGenerator random) {
    layout.forEachScale((line, index) -> {
      boolean negative = (signed || layout.hasLevels()) && random.nextBoolean();
      double scale = size * random.nextDouble(0.5, 1.5) * (negative ? -1 : 1);
      layout.put(layout.scales(), line, index, scale);
      if (zero != 0) {
        layout.put(layout.behind(), line, index, scale * zero * random.nextDouble(0.8, 1.2));
      }
    });
  }

  private static MemorySegment empty() {
    return MemorySegment.ofArray(new byte[0]);
  }
}
