package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A linear, cut into slices.
 *
 * @param groups parts whose inputs come in the same order
 */
record VectorLinear(MatrixLinear source, List<Group> groups) {
  /** Rows of a slice: some microseconds of work at least, and few enough to share out evenly. */
  private static final int SLICE_ROWS = 32;

  VectorLinear {
    groups = List.copyOf(groups);
  }

  /**
   * Slices that read the same input.
   *
   * @param order as {@code QuantizedMatrix.inputOrder}; empty: the input's own
   */
  record Group(int[] order, List<Slice> slices) {}

  /**
   * Rows of one part.
   *
   * @param output that row 0 of the part gives
   */
  record Slice(VectorMatrix matrix, int output, int first, int end) {}

  static VectorLinear of(MatrixLinear linear, Arena arena) {
    var groups = new ArrayList<Group>();
    for (var ordered : OrderedParts.of(linear)) {
      var slices = new ArrayList<Slice>();
      for (var part : ordered.parts()) {
        var matrix = VectorMatrix.of(part.matrix(), arena);
        for (int first = 0; first < matrix.rows(); first += SLICE_ROWS) {
          int end = Math.min(matrix.rows(), first + SLICE_ROWS);
          slices.add(new Slice(matrix, part.output(), first, end));
        }
      }
      groups.add(new Group(ordered.order(), List.copyOf(slices)));
    }
    return new VectorLinear(linear, groups);
  }

  /** Weights of all parts. */
  long weights() {
    return Math.multiplyFull(source.out(), source.in());
  }
}
