package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.RowKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A matrix in a format of its plugin's own, with a kernel or without. */
record OwnMatrix(QuantizedMatrix numbers, boolean brings) implements QuantizedMatrix {
  @Override
  public int rows() {
    return numbers.rows();
  }

  @Override
  public int cols() {
    return numbers.cols();
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.Own();
  }

  /** Nothing that anybody could multiply with. */
  @Override
  public MemorySegment packed() {
    return Arena.ofAuto().allocate(1);
  }

  @Override
  public Optional<RowKernel> kernel() {
    return brings ? Optional.of(this::multiply) : Optional.empty();
  }

  private void multiply(
      MemorySegment x, long xStride, MemorySegment y, long yStride, int rows, int first, int end) {
    float[] weights = new float[cols()];
    for (int i = first; i < end; i++) {
      decodeRow(i, weights);
      for (int row = 0; row < rows; row++) {
        double sum = 0;
        for (int c = 0; c < weights.length; c++) {
          sum += (double) weights[c] * x.getAtIndex(JAVA_FLOAT, row * xStride + c);
        }
        y.setAtIndex(JAVA_FLOAT, row * yStride + i, (float) sum);
      }
    }
  }

  @Override
  public void decodeRow(int row, float[] out) {
    numbers.decodeRow(row, out);
  }
}
