package dev.millrace.cuda;

import dev.millrace.engine.device.MatrixLinear;

/**
 * How BF16 activations are multiplied with a matrix: on tensor cores where sizes and alignment
 * allow that, which reads codes as they lie for few rows, and unpacks them to BF16 for many.
 *
 * @param kind of kernels
 * @param partColumns columns that a block adds up, of codes
 * @param parts blocks that share the columns of a row
 * @param spans whether the columns of a span of codes share a scale
 */
record ProductPlan(Kind kind, int partColumns, int parts, boolean spans) {
  /** Rows up to which codes are read as they lie. */
  static final int FEW = 64;

  /** Rows up to which a warp takes whole spans of codes, where it can. */
  static final int VERY_FEW = 16;

  /** Bytes of a span. */
  private static final int SPAN = 64;

  /** Columns that every kernel for codes takes whole. */
  private static final int TILE = 256;

  /** Most columns that share a scale, unless all do. */
  private static final int GROUP = 128;

  /** Features of a block, for few rows. */
  private static final int FEATURES = 64;

  /** Blocks that keep any card busy. */
  private static final int BLOCKS = 264;

  /** Kernels for a matrix. */
  enum Kind {
    /** Any size, without tensor cores. */
    PLAIN,
    /** BF16 on tensor cores. */
    TENSOR,
    /** Codes on tensor cores. */
    PACKED
  }

  /** For a matrix of these sizes, whatever the rows: so a row's sums do not depend on others. */
  static ProductPlan of(String format, int group, int outs, int ins) {
    int aligned = format.equals("int8") || format.equals("fp8") ? 16 : 8;
    if (ins % aligned != 0) {
      return new ProductPlan(Kind.PLAIN, 0, 0, false);
    }
    return switch (format) {
      case "bf16" -> new ProductPlan(Kind.TENSOR, 0, 0, false);
      case "int4", "int8", "fp8", "code4" -> {
        boolean whole = group == 0 || (group % 16 == 0 && GROUP % group == 0);
        int span = PackedTile.hasNibbles(format) ? 2 * SPAN : SPAN;
        yield whole
            ? packed(outs, ins, group % span == 0)
            : new ProductPlan(Kind.PLAIN, 0, 0, false);
      }
      default -> new ProductPlan(Kind.PLAIN, 0, 0, false);
    };
  }

  /** Without parts, which would need room that grows with the rows. */
  ProductPlan whole() {
    return new ProductPlan(kind, partColumns * parts, 1, spans);
  }

  private static ProductPlan packed(int outs, int ins, boolean spans) {
    int tiles = Math.ceilDiv(ins, TILE);
    int wanted = Math.clamp(BLOCKS / Math.ceilDiv(outs, FEATURES), 1, tiles);
    int each = Math.ceilDiv(tiles, wanted);
    return new ProductPlan(Kind.PACKED, each * TILE, Math.ceilDiv(tiles, each), spans);
  }

  /** Bytes of scratch that a linear takes for steps of up to so many rows. */
  static long scratchBytes(MatrixLinear linear, Precision precision, int rows) {
    boolean reordered =
        linear.parts().stream()
            .anyMatch(part ->
                part.inputOrder().length > 0 && !PackedMatrix.of(part, precision).decoded());
    return reordered
        ? reorderedAt(linear, precision, rows) + (long) Float.BYTES * rows * linear.in()
        : productBytes(linear, precision, rows);
  }

  /** Where in the scratch inputs lie in another order. */
  static long reorderedAt(MatrixLinear linear, Precision precision, int rows) {
    return PackedMatrix.aligned(productBytes(linear, precision, rows));
  }

  private static long productBytes(MatrixLinear linear, Precision precision, int rows) {
    if (precision == Precision.FLOAT32) {
      return 0;
    }
    boolean packed =
        linear.parts().stream()
            .map(part -> PackedMatrix.of(part, precision))
            .anyMatch(form ->
                of(form.format(), form.group(), linear.out(), linear.in()).kind == Kind.PACKED);
    if (!packed) {
      return 0;
    }
    // whatever matrices it comes as: no more tiles than blocks, each at most twice as broad
    long numbers = 2L * BLOCKS * FEATURES * PackedTile.paddedRows(Math.min(rows, FEW));
    long unpacked = rows <= FEW ? 0 : (long) Short.BYTES * linear.out() * linear.in();
    return Math.max(Float.BYTES * numbers, unpacked);
  }
}
