package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * The rows of one value.
 *
 * @param segment F32, native order
 * @param offset first number of row 0
 * @param stride numbers from row to row
 * @param width numbers of a row
 */
record Rows(MemorySegment segment, int offset, int stride, int width) {
  /** Index of a row's first number. */
  long start(int row) {
    return offset + (long) row * stride;
  }

  /** One row by itself. */
  Rows row(int row) {
    return new Rows(segment, Math.toIntExact(start(row)), stride, width);
  }

  /** Address of the first number of row 0. */
  long address() {
    return segment.address() + 4L * offset;
  }

  float get(int row, int column) {
    return segment.getAtIndex(JAVA_FLOAT, start(row) + column);
  }

  void set(int row, int column, float value) {
    segment.setAtIndex(JAVA_FLOAT, start(row) + column, value);
  }

  void read(int row, int column, float[] out, int count) {
    MemorySegment.copy(segment, JAVA_FLOAT, 4 * (start(row) + column), out, 0, count);
  }

  void write(int row, float[] in, int count) {
    MemorySegment.copy(in, 0, segment, JAVA_FLOAT, 4 * start(row), count);
  }
}
