package dev.millrace.engine.quantize;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What quantized weights stand for, as F32, for as long as its arena lives. */
record FloatRows(int rows, int cols, MemorySegment packed) implements QuantizedMatrix {
  /**
   * The rows of a matrix.
   *
   * @param divisors of its columns
   */
  static FloatRows of(GroupedCodes codes, float[] divisors, Arena arena) {
    int cols = codes.cols();
    var memory = arena.allocate(JAVA_FLOAT, (long) codes.rows() * cols);
    float[] row = new float[cols];
    for (int r = 0; r < codes.rows(); r++) {
      codes.decodeRow(r, row);
      for (int i = 0; i < cols; i++) {
        row[i] /= divisors[i];
      }
      MemorySegment.copy(row, 0, memory, JAVA_FLOAT, 4L * r * cols, cols);
    }
    return new FloatRows(codes.rows(), cols, memory);
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.F32();
  }

  @Override
  public void decodeRow(int row, float[] out) {
    MemorySegment.copy(packed, JAVA_FLOAT, 4L * row * cols, out, 0, cols);
  }
}
