package com.example.ternary;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.RowKernel;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The scales of all rows, then four weights in a byte: 0, 1 or 2 for −1, 0 or 1 times a scale. */
record TernaryMatrix(int rows, int cols, MemorySegment packed) implements QuantizedMatrix {
  static TernaryMatrix of(int rows, int cols, Checkpoint checkpoint) {
    long bytes = 4L * rows + (long) rows * Math.ceilDiv(cols, 4);
    return new TernaryMatrix(rows, cols, checkpoint.allocate("a ternary matrix", bytes));
  }

  /** What is nearer to 0 than half of the row's mean magnitude becomes 0. */
  void write(int row, float[] weights) {
    double mean = 0;
    for (float weight : weights) {
      mean += Math.abs(weight) / (double) cols;
    }
    for (int i = 0; i < cols; i++) {
      int sign = Math.abs(weights[i]) < mean / 2 ? 0 : (int) Math.signum(weights[i]);
      byte others = packed.get(JAVA_BYTE, at(row, i));
      packed.set(JAVA_BYTE, at(row, i), (byte) (others | (sign + 1) << 2 * (i % 4)));
    }
    packed.setAtIndex(JAVA_FLOAT, row, (float) mean);
  }

  private long at(int row, int col) {
    return 4L * rows + (long) row * Math.ceilDiv(cols, 4) + col / 4;
  }

  private int sign(int row, int col) {
    return (packed.get(JAVA_BYTE, at(row, col)) >> 2 * (col % 4) & 3) - 1;
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.Own();
  }

  @Override
  public void decodeRow(int row, float[] out) {
    for (int i = 0; i < cols; i++) {
      out[i] = sign(row, i) * packed.getAtIndex(JAVA_FLOAT, row);
    }
  }

  @Override
  public Optional<RowKernel> kernel() {
    return Optional.of(this::multiply);
  }

  private void multiply(
      MemorySegment x, long xStride, MemorySegment y, long yStride, int rows, int first, int end) {
    for (int output = first; output < end; output++) {
      for (int row = 0; row < rows; row++) {
        double sum = 0;
        for (int i = 0; i < cols; i++) {
          sum += sign(output, i) * x.getAtIndex(JAVA_FLOAT, row * xStride + i);
        }
        float product = (float) (sum * packed.getAtIndex(JAVA_FLOAT, output));
        y.setAtIndex(JAVA_FLOAT, row * yStride + output, product);
      }
    }
  }
}
