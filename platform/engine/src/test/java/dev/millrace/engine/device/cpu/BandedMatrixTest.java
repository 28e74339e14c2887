package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BandedMatrixTest {
  private static final int COLUMNS = 300;

  private NativeFunctions functions;

  @BeforeEach
  void need() {
    assumeFalse(NativeLibrary.sets().isEmpty(), "native kernels");
    var set = NativeLibrary.sets().getFirst();
    functions = new NativeFunctions(NativeLibrary.get(), set, LinearActivations.FLOAT);
  }

  private record Matrix(DeviceFormat format, int rows, int cols, MemorySegment packed)
      implements QuantizedMatrix {
    @Override
    public void decodeRow(int row, float[] out) {
      throw new AssertionError("nobody reads it any more");
    }
  }

  static List<DeviceFormat> formats() {
    return List.of(
        new DeviceFormat.Int4(16, false),
        new DeviceFormat.Int4(32, true, ScaleType.F16),
        new DeviceFormat.Int4(32, true, ScaleType.TWO_LEVEL),
        new DeviceFormat.Int4(128, false, ScaleType.TWO_LEVEL),
        new DeviceFormat.Code4(64));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void goesThereAndBack(DeviceFormat format) {
    try (var arena = Arena.ofShared()) {
      for (int rows : new int[] {1, 15, 16, 17, 35}) {
        var matrix = random(format, rows, arena);
        byte[] before = matrix.packed().toArray(JAVA_BYTE);
        var banded = BandedMatrix.inPlace(matrix, functions);
        assertEquals(matrix.packed().address(), banded.packed().address(), "takes no memory");
        assertArrayEquals(before, banded.inRows(functions, arena).toArray(JAVA_BYTE));
        assertSame(banded, BandedMatrix.of(banded, functions, arena));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void aCopyLeavesTheMatrixAsItIs(DeviceFormat format) {
    try (var arena = Arena.ofShared()) {
      var matrix = random(format, 35, arena);
      byte[] before = matrix.packed().toArray(JAVA_BYTE);
      byte[] copied = BandedMatrix.of(matrix, functions, arena).packed().toArray(JAVA_BYTE);
      assertArrayEquals(before, matrix.packed().toArray(JAVA_BYTE));
      assertArrayEquals(
          copied, BandedMatrix.inPlace(matrix, functions).packed().toArray(JAVA_BYTE));
    }
  }

  /** Words of four bytes: those of two bands of 16 rows, and of one of three. */
  @Test
  void wordsOfABandsRowsLieBesideEachOther() {
    try (var arena = Arena.ofShared()) {
      var format = new DeviceFormat.Int4(32, false);
      var matrix = random(format, 35, arena);
      var layout = PackedLayout.of(format, 35, COLUMNS);
      byte[] before = matrix.packed().toArray(JAVA_BYTE);
      byte[] after = BandedMatrix.inPlace(matrix, functions).packed().toArray(JAVA_BYTE);
      long words = layout.rowBytes() / 4;
      for (int row = 0; row < 35; row++) {
        int first = row / 16 * 16;
        int rows = Math.min(16, 35 - first);
        for (int word = 0; word < words; word++) {
          long from = row * layout.rowBytes() + 4L * word;
          long to = first * layout.rowBytes() + 4L * (word * rows + row - first);
          for (int i = 0; i < 4; i++) {
            assertEquals(before[(int) from + i], after[(int) to + i]);
          }
        }
      }
    }
  }

  private static Matrix random(DeviceFormat format, int rows, Arena arena) {
    var packed = arena.allocate(PackedLayout.of(format, rows, COLUMNS).length());
    byte[] bytes = new byte[(int) packed.byteSize()];
    new SplittableRandom(rows).nextBytes(bytes);
    packed.copyFrom(MemorySegment.ofArray(bytes));
    return new Matrix(format, rows, COLUMNS, packed);
  }
}
