package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A linear, cut into slices.
 *
 * @param slices of all parts
 */
record VectorLinear(MatrixLinear source, List<Slice> slices) {
  /** Rows of a slice: some microseconds of work at least, and few enough to share out evenly. */
  private static final int SLICE_ROWS = 32;

  VectorLinear {
    slices = List.copyOf(slices);
  }

  /**
   * Rows of one part.
   *
   * @param output that row 0 of the part gives
   */
  record Slice(VectorMatrix matrix, int output, int first, int end) {}

  static VectorLinear of(MatrixLinear linear, Arena arena) {
    var slices = new ArrayList<Slice>();
    int output = 0;
    for (var part : linear.parts()) {
      var matrix = VectorMatrix.of(part, arena);
      for (int first = 0; first < part.rows(); first += SLICE_ROWS) {
        int end = Math.min(part.rows(), first + SLICE_ROWS);
        slices.add(new Slice(matrix, output, first, end));
      }
      output += part.rows();
    }
    return new VectorLinear(linear, slices);
  }

  /** Weights of all parts. */
  long weights() {
    return Math.multiplyFull(source.out(), source.in());
  }
}
