package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A matrix that a device has put in an order of its own still decodes, as a token table has to. */
class ArrangedMatrixTest {
  private final SplittableRandom random = new SplittableRandom(5);

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void rowsAreWhatTheyWere(DeviceFormat format) {
    try (var device = NativeDevices.open(InstructionSet.AVX512BF16, 1)) {
      for (int cols : new int[] {1, 33, 300}) {
        for (int rows : new int[] {3, 37}) {
          var matrix = EncodedMatrix.reordered(rows, cols, format, random);
          float[][] before = rows(matrix);
          float[][] after = rows(device.arranged(matrix));
          for (int row = 0; row < rows; row++) {
            assertArrayEquals(before[row], after[row]);
          }
        }
      }
    }
  }

  @Test
  void whatMayNotBeWrittenToStaysAsItIs() {
    var format = new DeviceFormat.Int4(32, true);
    try (var device = NativeDevices.open(InstructionSet.AVX512BF16, 1)) {
      var matrix = EncodedMatrix.random(20, 40, format, random);
      var shared = of(matrix, matrix.packed().asReadOnly());
      var heap = of(matrix, MemorySegment.ofArray(matrix.packed().toArray(ValueLayout.JAVA_BYTE)));
      assertSame(shared, device.arranged(shared));
      assertSame(heap, device.arranged(heap));
      assertNotSame(matrix, device.arranged(matrix));
    }
  }

  private static QuantizedMatrix of(QuantizedMatrix matrix, MemorySegment packed) {
    return new PlainMatrices.Matrix(matrix.rows(), matrix.cols(), matrix.format(), packed);
  }

  private static float[][] rows(QuantizedMatrix matrix) {
    float[][] rows = new float[matrix.rows()][matrix.cols()];
    for (int row = 0; row < rows.length; row++) {
      matrix.decodeRow(row, rows[row]);
    }
    return rows;
  }
}
