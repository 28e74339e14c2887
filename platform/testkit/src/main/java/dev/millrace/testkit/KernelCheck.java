package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.RowKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Holds a plugin's kernel to decoded rows, and to writing its own outputs and nothing else. */
final class KernelCheck {
  private static final int ROWS = 5;
  private static final int GUARD = 3;
  private static final float UNTOUCHED = 12345;

  private final QuantizedMatrix matrix;
  private final RowKernel kernel;
  private final float[][] inputs;

  KernelCheck(QuantizedMatrix matrix, RowKernel kernel) {
    this.matrix = matrix;
    this.kernel = kernel;
    var random = new SplittableRandom(29);
    this.inputs = new float[ROWS][matrix.cols()];
    for (float[] row : inputs) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
  }

  void run() {
    float[][] whole = outputs(ROWS, matrix.rows());
    float[] weights = new float[matrix.cols()];
    for (int i = 0; i < matrix.rows(); i++) {
      matrix.decodeRow(i, weights);
      for (int row = 0; row < ROWS; row++) {
        double sum = 0;
        double size = 0;
        for (int c = 0; c < weights.length; c++) {
          double product = (double) weights[c] * inputs[row][c];
          sum += product;
          size += Math.abs(product);
        }
        assertEquals(sum, whole[row][i], 1e-5 * size + 1e-30, "row " + row + ", output " + i);
      }
    }
    float[] alone = outputs(1, 1)[0];
    assertEquals(whole[0][0], alone[0], "output 0 of a row alone, in slices of one");
    assertEquals(
        Arrays.toString(whole[0]), Arrays.toString(outputs(ROWS, 2)[0]), "in slices of two");
  }

  /**
   * The outputs of the first rows, computed so many at a time; what lies around them is checked.
   */
  private float[][] outputs(int rows, int together) {
    int xStride = matrix.cols() + GUARD;
    int yStride = matrix.rows() + GUARD;
    float[][] out = new float[rows][matrix.rows()];
    try (var arena = Arena.ofShared()) {
      MemorySegment x = arena.allocate(JAVA_FLOAT, (long) rows * xStride);
      MemorySegment y = arena.allocate(JAVA_FLOAT, (long) (rows + 1) * yStride);
      for (int row = 0; row < rows; row++) {
        MemorySegment.copy(inputs[row], 0, x, JAVA_FLOAT, 4L * row * xStride, matrix.cols());
      }
      for (long i = 0; i < (long) (rows + 1) * yStride; i++) {
        y.setAtIndex(JAVA_FLOAT, i, UNTOUCHED);
      }
      for (int first = 0; first < matrix.rows(); first += together) {
        int end = Math.min(matrix.rows(), first + together);
        kernel.multiply(x, xStride, y, yStride, rows, first, end);
      }
      for (int row = 0; row <= rows; row++) {
        for (int i = 0; i < yStride; i++) {
          float value = y.getAtIndex(JAVA_FLOAT, (long) row * yStride + i);
          if (row < rows && i < matrix.rows()) {
            out[row][i] = value;
          } else {
            assertEquals(UNTOUCHED, value, "beside the outputs: row " + row + ", " + i);
          }
        }
      }
    }
    return out;
  }
}
