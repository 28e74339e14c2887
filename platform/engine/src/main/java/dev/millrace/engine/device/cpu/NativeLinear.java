package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A linear, cut into slices.
 *
 * @param groups parts whose inputs come in the same order
 * @param bias address of a number per output; 0: none
 * @param weights of all parts
 */
record NativeLinear(List<Group> groups, long bias, long weights) {
  /** Rows of a slice: some microseconds of work at least, and few enough to share out evenly. */
  static final int SLICE_ROWS = 32;

  NativeLinear {
    groups = List.copyOf(groups);
  }

  /**
   * Slices that read the same input.
   *
   * @param order an int per column, as {@code QuantizedMatrix.inputOrder}; NULL: the input's own
   * @param rounds whether a slice takes its activations in BF16 where kernels have such products
   * @param nibbles whether a slice takes them so in the order of nibbles
   */
  record Group(MemorySegment order, List<Slice> slices, boolean rounds, boolean nibbles) {
    boolean reorders() {
      return order.byteSize() > 0;
    }
  }

  /**
   * Rows of one part.
   *
   * @param output that row 0 of the part gives
   */
  record Slice(NativeMatrix matrix, int output, int first, int end) {}

  /**
   * Cuts a linear.
   *
   * @param exact whether its activations stay in F32 with all kernels
   */
  static NativeLinear of(MatrixLinear linear, long bias, boolean exact, Arena arena) {
    var orders = new ArrayList<int[]>();
    var slices = new ArrayList<List<Slice>>();
    int output = 0;
    for (var part : linear.parts()) {
      int[] order = part.inputOrder();
      int group = 0;
      while (group < orders.size() && !Arrays.equals(orders.get(group), order)) {
        group++;
      }
      if (group == orders.size()) {
        orders.add(order);
        slices.add(new ArrayList<>());
      }
      var matrix = NativeMatrix.of(part, exact, arena);
      for (int first = 0; first < part.rows(); first += SLICE_ROWS) {
        int end = Math.min(part.rows(), first + SLICE_ROWS);
        slices.get(group).add(new Slice(matrix, output, first, end));
      }
      output += part.rows();
    }
    var groups = new ArrayList<Group>();
    for (int i = 0; i < orders.size(); i++) {
      var order =
          orders.get(i).length == 0
              ? MemorySegment.NULL
              : arena.allocateFrom(JAVA_INT, orders.get(i));
      groups.add(group(order, slices.get(i)));
    }
    return new NativeLinear(groups, bias, Math.multiplyFull(output, linear.in()));
  }

  private static Group group(MemorySegment order, List<Slice> slices) {
    boolean plain = false;
    boolean nibbles = false;
    for (var slice : slices) {
      var matrix = slice.matrix();
      plain |= matrix.rounds() && !matrix.nibbles();
      nibbles |= matrix.rounds() && matrix.nibbles();
    }
    return new Group(order, List.copyOf(slices), plain, nibbles);
  }
}
