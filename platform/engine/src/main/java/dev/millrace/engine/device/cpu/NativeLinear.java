package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A linear, cut into slices.
 *
 * @param slices of all parts
 * @param bias address of a number per output; 0: none
 * @param weights of all parts
 * @param rounds whether a part takes its activations in BF16 where the kernels have such products
 */
record NativeLinear(List<Slice> slices, long bias, long weights, boolean rounds) {
  /** Rows of a slice: some microseconds of work at least, and few enough to share out evenly. */
  static final int SLICE_ROWS = 32;

  NativeLinear {
    slices = List.copyOf(slices);
  }

  /**
   * Rows of one part.
   *
   * @param output that row 0 of the part gives
   */
  record Slice(NativeMatrix matrix, int output, int first, int end) {}

  static NativeLinear of(MatrixLinear linear, long bias, Arena arena) {
    var slices = new ArrayList<Slice>();
    int output = 0;
    for (var part : linear.parts()) {
      var matrix = NativeMatrix.of(part, arena);
      for (int first = 0; first < part.rows(); first += SLICE_ROWS) {
        int end = Math.min(part.rows(), first + SLICE_ROWS);
        slices.add(new Slice(matrix, output, first, end));
      }
      output += part.rows();
    }
    boolean rounds = slices.stream().anyMatch(slice -> slice.matrix().rounds());
    return new NativeLinear(slices, bias, Math.multiplyFull(output, linear.in()), rounds);
  }
}
