package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Parts of a linear that take their inputs in the same order.
 *
 * @param order as {@code QuantizedMatrix.inputOrder}; empty: the input's own
 */
record OrderedParts(int[] order, List<Part> parts) {
  /**
   * A part.
   *
   * @param output that its row 0 gives
   */
  record Part(QuantizedMatrix matrix, int output) {}

  /** All parts of a linear. */
  static List<OrderedParts> of(MatrixLinear linear) {
    var all = new ArrayList<OrderedParts>();
    int output = 0;
    for (var matrix : linear.parts()) {
      var part = new Part(matrix, output);
      var like = all.stream().filter(p -> Arrays.equals(p.order, matrix.inputOrder())).findFirst();
      if (like.isPresent()) {
        like.get().parts.add(part);
      } else {
        all.add(new OrderedParts(matrix.inputOrder(), new ArrayList<>(List.of(part))));
      }
      output += matrix.rows();
    }
    return all;
  }
}
