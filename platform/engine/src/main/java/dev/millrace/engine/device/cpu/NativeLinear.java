package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A linear, cut into slices.
 *
 * @param groups parts whose inputs come in the same order
 * @param bias address of a number per output; 0: none
 * @param weights of all parts
 */
record NativeLinear(List<Group> groups, long bias, long weights) {
  /** Fewest rows of a slice, unless there are no more. */
  private static final int SLICE_ROWS = 32;

  /** Most rows of a slice. */
  static final int MOST_SLICE_ROWS = 128;

  /** Rows of activations that meet weights as these are decoded, which no cache has to hold. */
  private static final int FEW = 2;

  /** Weights of a slice for so few: beside these, taking it costs little. */
  private static final int FEW_WEIGHTS = 128 << 10;

  /** Such slices of a linear, at least, if its rows allow it: they can be shared out evenly. */
  private static final int FEW_SLICES = 16;

  /**
   * Bytes of a slice's weights as BF16 that stay in a core's L2 cache while more rows of
   * activations pass than the cache holds.
   */
  private static final int MANY_BYTES = 512 << 10;

  /** Rows of activations from which on such slices are worth their uneven shares. */
  private static final int MANY = 96;

  NativeLinear {
    groups = List.copyOf(groups);
  }

  /**
   * Slices that read the same input.
   *
   * @param order an int per column, as {@code QuantizedMatrix.inputOrder}; NULL: the input's own
   * @param few slices for at most {@link #FEW} rows of activations
   * @param some the same rows of weights for more of them
   * @param many for so many that no cache holds them
   * @param operands in which slices take it
   */
  record Group(
      MemorySegment order,
      List<Slice> few,
      List<Slice> some,
      List<Slice> many,
      Set<Operand> operands) {
    boolean reorders() {
      return order.byteSize() > 0;
    }

    /**
     * Slices for so many rows of activations.
     *
     * @param large whether kernels gain by large ones where these are many
     */
    List<Slice> slices(int rows, boolean large) {
      if (rows <= FEW) {
        return few;
      }
      return large && rows >= MANY ? many : some;
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
   * @param functions that multiply
   */
  static NativeLinear of(
      MatrixLinear linear, long bias, boolean exact, NativeFunctions functions, Arena arena) {
    var groups = new ArrayList<Group>();
    for (var ordered : OrderedParts.of(linear)) {
      var parts = new ArrayList<Slice>();
      for (var part : ordered.parts()) {
        var operand = Operand.of(part.matrix().format(), exact, functions);
        var matrix = NativeMatrix.of(part.matrix(), operand, arena);
        parts.add(new Slice(matrix, part.output(), 0, part.matrix().rows()));
      }
      var order =
          ordered.order().length == 0
              ? MemorySegment.NULL
              : arena.allocateFrom(JAVA_INT, ordered.order());
      groups.add(group(order, parts, linear.in()));
    }
    return new NativeLinear(groups, bias, Math.multiplyFull(linear.out(), linear.in()));
  }

  private static Group group(MemorySegment order, List<Slice> parts, int columns) {
    var operands = EnumSet.noneOf(Operand.class);
    parts.forEach(part -> operands.add(part.matrix().operand()));
    int rows = parts.stream().mapToInt(Slice::end).sum();
    int few = sliceRows(Math.min(FEW_WEIGHTS / columns, rows / FEW_SLICES));
    int many = sliceRows(MANY_BYTES / (Short.BYTES * columns));
    return new Group(order, cut(parts, few), cut(parts, SLICE_ROWS), cut(parts, many), operands);
  }

  private static int sliceRows(int most) {
    int whole = most / SLICE_ROWS * SLICE_ROWS;
    return Math.clamp(whole, SLICE_ROWS, MOST_SLICE_ROWS);
  }

  private static List<Slice> cut(List<Slice> parts, int rows) {
    var slices = new ArrayList<Slice>();
    for (var part : parts) {
      for (int first = part.first(); first < part.end(); first += rows) {
        int end = Math.min(part.end(), first + rows);
        slices.add(new Slice(part.matrix(), part.output(), first, end));
      }
    }
    return List.copyOf(slices);
  }
}
