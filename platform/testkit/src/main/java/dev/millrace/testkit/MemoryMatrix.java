package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;

/** A matrix in F32 on the heap, for tests of devices. */
public record MemoryMatrix(int rows, int cols, float[] values) implements QuantizedMatrix {
  public MemoryMatrix {
    if (values.length != rows * cols) {
      throw new IllegalArgumentException(values.length + " values for " + rows + " x " + cols);
    }
  }

  /** Normal numbers, scaled so that a product of normal inputs is about 1. */
  public static MemoryMatrix random(int rows, int cols, RandomGenerator random) {
    float[] values = new float[rows * cols];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / Math.sqrt(cols));
    }
    return new MemoryMatrix(rows, cols, values);
  }

  /** Normal numbers. */
  static float[] numbers(RandomGenerator random, int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }

  /** The sum of products. */
  static double product(double[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < b.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** A copy of one row. */
  public float[] row(int row) {
    float[] out = new float[cols];
    decodeRow(row, out);
    return out;
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.F32();
  }

  @Override
  public MemorySegment packed() {
    var bytes = MemorySegment.ofArray(new byte[4 * values.length]);
    MemorySegment.copy(values, 0, bytes, JAVA_FLOAT_UNALIGNED, 0, values.length);
    return bytes.asReadOnly();
  }

  @Override
  public void decodeRow(int row, float[] out) {
    System.arraycopy(values, row * cols, out, 0, cols);
  }
}
