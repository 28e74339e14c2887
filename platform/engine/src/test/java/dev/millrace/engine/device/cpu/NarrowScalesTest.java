package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A matrix whose scales are kept in fewer bits is multiplied to the same bits as one that keeps the
 * same scales in binary32, in rows longer than what is widened at a time, too.
 */
class NarrowScalesTest {
  private static final int ROWS = 9;
  private static final int[] WIDTHS = {1, 33, 256, 300, 530, 4096, 4513};
  private static final int[] TOKENS = {1, 2, 5, 19};

  private final SplittableRandom random = new SplittableRandom(11);

  private record Matrix(DeviceFormat format, int cols, MemorySegment packed)
      implements QuantizedMatrix {
    @Override
    public int rows() {
      return ROWS;
    }

    PackedLayout layout() {
      return PackedLayout.of(format, ROWS, cols);
    }

    @Override
    public void decodeRow(int row, float[] out) {
      throw new AssertionError("kernels decode by themselves");
    }
  }

  static List<NativeBoundsTest.Kernels> kernels() {
    return NativeBoundsTest.kernels();
  }

  private static List<DeviceFormat> formats() {
    var formats = new ArrayList<DeviceFormat>();
    for (boolean zeros : new boolean[] {false, true}) {
      for (var type : new ScaleType[] {ScaleType.F16, ScaleType.BF16, ScaleType.TWO_LEVEL}) {
        for (int group : new int[] {16, 32, 64, 128}) {
          formats.add(new DeviceFormat.Int8(group, zeros, type));
          formats.add(new DeviceFormat.Int4(group, zeros, type));
        }
      }
      formats.add(new DeviceFormat.Int8(0, zeros, ScaleType.F16));
      formats.add(new DeviceFormat.Int8(0, zeros, ScaleType.BF16));
    }
    return formats;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void giveTheBitsOfBinary32(NativeBoundsTest.Kernels kernels) {
    var functions = kernels.functions();
    try (var workers = new Workers(1);
        var arena = Arena.ofConfined()) {
      for (var format : formats()) {
        for (int width : WIDTHS) {
          var narrow = narrow(format, width, arena);
          var wide = wide(narrow, arena);
          for (int tokens : TOKENS) {
            float[] x = new float[tokens * width];
            for (int i = 0; i < x.length; i++) {
              x[i] = (float) random.nextDouble(-1, 1);
            }
            assertArrayEquals(
                product(functions, workers, wide, x, tokens),
                product(functions, workers, narrow, x, tokens),
                () -> format + " of " + width + " columns, tokens: " + tokens);
          }
        }
      }
    }
  }

  private float[] product(
      NativeFunctions functions, Workers workers, Matrix matrix, float[] x, int tokens) {
    try (var step = Arena.ofConfined();
        var constants = new NativeConstants(functions, workers.count())) {
      int width = matrix.cols();
      var in = new Rows(step.allocateFrom(JAVA_FLOAT, x), 0, width, width);
      var out = step.allocate(JAVA_FLOAT, (long) tokens * ROWS);
      var linear = MatrixLinear.withoutBias("narrow", List.of(matrix));
      constants.lend(
          linear,
          () ->
              new NativeProduct(functions, constants, workers)
                  .run(linear, in, new Rows(out, 0, ROWS, ROWS), tokens));
      return out.toArray(JAVA_FLOAT);
    }
  }

  private Matrix narrow(DeviceFormat format, int cols, Arena arena) {
    var layout = PackedLayout.of(format, ROWS, cols);
    var packed = arena.allocate(layout.length() + 1, 8).asSlice(1);
    for (long i = 0; i < layout.length(); i++) {
      packed.set(JAVA_BYTE, i, (byte) random.nextInt(-127, 128));
    }
    for (long part : new long[] {layout.scales(), layout.behind()}) {
      if (part < layout.length()) {
        for (int row = 0; row < ROWS; row++) {
          putHalves(packed, part + row * layout.lineBytes(), layout);
        }
      }
    }
    return new Matrix(format, cols, packed);
  }

  /** Scales, or their factors; bytes are any. */
  private void putHalves(MemorySegment packed, long at, PackedLayout layout) {
    long halves =
        layout.type() == ScaleType.TWO_LEVEL
            ? (layout.lineBytes() - layout.groups()) / 2
            : layout.groups();
    for (long i = 0; i < halves; i++) {
      float number = (float) random.nextDouble(-0.01, 0.01);
      short bits =
          layout.type() == ScaleType.BF16
              ? (short) (Float.floatToRawIntBits(number) >> 16)
              : Float.floatToFloat16(number);
      packed.set(JAVA_SHORT_UNALIGNED, at + 2 * i, bits);
    }
  }

  private static Matrix wide(Matrix narrow, Arena arena) {
    var format =
        switch (narrow.format()) {
          case DeviceFormat.Int8(int group, boolean zeros, _) ->
              new DeviceFormat.Int8(group, zeros);
          case DeviceFormat.Int4(int group, boolean zeros, _) ->
              new DeviceFormat.Int4(group, zeros);
          default -> throw new AssertionError(narrow.format());
        };
    var from = narrow.layout();
    var to = PackedLayout.of(format, ROWS, narrow.cols());
    var packed = arena.allocate(to.length() + 1, 8).asSlice(1);
    MemorySegment.copy(narrow.packed(), 0, packed, 0, ROWS * from.rowBytes());
    float[] line = new float[from.groups()];
    for (int row = 0; row < ROWS; row++) {
      from.readScales(narrow.packed(), row, line, 0);
      put(line, packed, to.scales() + row * to.lineBytes());
      if (to.behind() < to.length()) {
        from.readZeros(narrow.packed(), row, line, 0);
        put(line, packed, to.behind() + row * to.lineBytes());
      }
    }
    return new Matrix(format, narrow.cols(), packed);
  }

  private static void put(float[] line, MemorySegment packed, long at) {
    MemorySegment.copy(line, 0, packed, JAVA_FLOAT_UNALIGNED, at, line.length);
  }
}
