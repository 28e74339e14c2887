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
  /**
   * Most rows of a slice whose weights are decoded, or packed, before they are multiplied: for more
   * than {@link #FEW} rows of activations.
   */
  static final int MOST_SLICE_ROWS = 128;

  /** Rows of activations that meet weights as these are decoded, which no cache has to hold. */
  private static final int FEW = 2;

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
   * @param few slices for at most {@link #FEW} rows of activations: they taper
   * @param some for more of them: small ones, whose weights stay in a cache once decoded
   * @param many for so many that no cache holds them
   * @param operands in which slices take it
   */
  record Group(MemorySegment order, Slices few, Slices some, Slices many, Set<Operand> operands) {
    boolean reorders() {
      return order.byteSize() > 0;
    }

    /**
     * Slices for so many rows of activations.
     *
     * @param large whether kernels gain by large ones where these are many
     */
    Slices slices(int rows, boolean large) {
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
  record Slice(NativeMatrix matrix, int output, int first, int end) {
    Slice rows(int from, int to) {
      return new Slice(matrix, output, from, to);
    }
  }

  /**
   * Cuts a linear.
   *
   * @param exact whether its activations stay in F32 with all kernels
   * @param functions that multiply
   * @param threads that share the slices
   */
  static NativeLinear of(
      MatrixLinear linear,
      long bias,
      boolean exact,
      NativeFunctions functions,
      int threads,
      Arena arena) {
    var groups = new ArrayList<Group>();
    for (var ordered : OrderedParts.of(linear)) {
      var parts = new ArrayList<Slice>();
      for (var part : ordered.parts()) {
        var operand = Operand.of(part.matrix().format(), exact, functions);
        var matrix = NativeMatrix.of(part.matrix(), operand, functions, arena);
        parts.add(new Slice(matrix, part.output(), 0, part.matrix().rows()));
      }
      var order =
          ordered.order().length == 0
              ? MemorySegment.NULL
              : arena.allocateFrom(JAVA_INT, ordered.order());
      groups.add(group(order, parts, linear.in(), threads));
    }
    return new NativeLinear(groups, bias, Math.multiplyFull(linear.out(), linear.in()));
  }

  private static Group group(MemorySegment order, List<Slice> parts, int columns, int threads) {
    var operands = EnumSet.noneOf(Operand.class);
    parts.forEach(part -> operands.add(part.matrix().operand()));
    int many = MANY_BYTES / (Short.BYTES * columns) / Slices.LEAST * Slices.LEAST;
    return new Group(
        order,
        Slices.tapering(parts, threads),
        Slices.even(parts, Slices.LEAST, threads),
        Slices.even(parts, Math.clamp(many, Slices.LEAST, MOST_SLICE_ROWS), threads),
        operands);
  }
}
