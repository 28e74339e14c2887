package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.random.RandomGenerator;

/**
 * A matrix of activations, with NaN around it and between its rows, which nobody may read or
 * overwrite: reading shows in the result, writing in {@link #check}.
 */
final class DeviceRows {
  private static final int GUARD = 64;

  private final KvDtype type;
  private final int rows;
  private final int width;
  private final int stride;
  private final MemorySegment memory;

  private DeviceRows(KvDtype type, int rows, int width, int stride, int behind) {
    this.type = type;
    this.rows = rows;
    this.width = width;
    this.stride = stride;
    long numbers = GUARD + (long) rows * stride + behind;
    this.memory = Kernels.allocate(numbers * type.bytes()).fill((byte) -1);
  }

  /** Rows at a stride that suits no vector. */
  static DeviceRows empty(KvDtype type, int rows, int width) {
    return new DeviceRows(type, rows, width, width + 3, GUARD);
  }

  /** Rows that begin at multiples of 16 bytes. */
  static DeviceRows aligned(KvDtype type, int rows, int width) {
    return new DeviceRows(type, rows, width, (width + 7) / 8 * 8 + 8, GUARD);
  }

  /** Rows without anything between them. */
  static DeviceRows dense(KvDtype type, int rows, int width) {
    return new DeviceRows(type, rows, width, width, GUARD);
  }

  /**
   * Dense rows behind which memory ends: who reads on, crashes, if all is a multiple of 256 bytes.
   */
  static DeviceRows last(KvDtype type, int rows, int width) {
    return new DeviceRows(type, rows, width, width, 0);
  }

  /** Fills in normally distributed numbers. */
  DeviceRows random(RandomGenerator random) {
    for (int row = 0; row < rows; row++) {
      fill(row, _ -> random.nextGaussian());
    }
    return this;
  }

  void fill(int row, IntToDoubleFunction value) {
    float[] numbers = new float[width];
    for (int i = 0; i < width; i++) {
      numbers[i] = (float) value.applyAsDouble(i);
    }
    type.encode(numbers, width, memory, start(row));
  }

  /** The first number of the first row. */
  MemorySegment address() {
    return memory.asSlice((long) GUARD * type.bytes());
  }

  int stride() {
    return stride;
  }

  int rows() {
    return rows;
  }

  /** A row as it was rounded. */
  double[] row(int row) {
    float[] numbers = new float[width];
    type.decode(memory, start(row), numbers, width);
    double[] out = new double[width];
    for (int i = 0; i < width; i++) {
      out[i] = numbers[i];
    }
    return out;
  }

  /**
   * Compares with what should be there: the largest error, relative to the number expected plus all
   * expected numbers' root mean square.
   */
  void check(double tolerance, double[][] expected) {
    double squares = 0;
    for (double[] row : expected) {
      squares += Arrays.stream(row).map(x -> x * x).sum();
    }
    double size = Math.max(1e-30, Math.sqrt(squares / rows / width));
    double largest = 0;
    String where = "";
    for (int row = 0; row < rows; row++) {
      double[] is = row(row);
      for (int i = 0; i < width; i++) {
        double error = Math.abs(is[i] - expected[row][i]) / (size + Math.abs(expected[row][i]));
        if (error > largest || Double.isNaN(error)) {
          largest = Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
          where = "[%d][%d] is %s, not %s".formatted(row, i, is[i], expected[row][i]);
        }
      }
    }
    Clean.note(largest, tolerance);
    assertTrue(largest <= tolerance, largest + " > " + tolerance + ": " + where);
    requireGuards();
  }

  /** Nobody has written outside of the rows. */
  void requireGuards() {
    long numbers = memory.byteSize() / type.bytes();
    for (long at = 0; at < numbers; at++) {
      long inside = at - GUARD;
      if (inside >= 0 && inside < (long) rows * stride && inside % stride < width) {
        continue;
      }
      for (int b = 0; b < type.bytes(); b++) {
        assertEquals(-1, memory.get(JAVA_BYTE, at * type.bytes() + b), "number " + inside);
      }
    }
  }

  private long start(int row) {
    return (GUARD + (long) row * stride) * type.bytes();
  }
}
