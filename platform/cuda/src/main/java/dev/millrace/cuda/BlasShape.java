package dev.millrace.cuda;

/**
 * A product {@code out = x Wᵀ + bias} but for the number of rows: x is {@code [rows][ins]}, W is
 * {@code [outs][ins]} without gaps, out is {@code [rows][outs]}, all by rows, sums in F32. All
 * addresses are multiples of {@value #ALIGNMENT}.
 *
 * @param in type of x and W
 * @param out type of the result; the bias has {@link #biasType()}
 * @param scales how FP8 is scaled; NONE for other types
 * @param xStride numbers from one row of x to the next
 * @param outStride numbers from one row of the result to the next
 */
record BlasShape(
    BlasType in,
    BlasType out,
    Scales scales,
    boolean bias,
    int outs,
    int ins,
    int xStride,
    int outStride) {
  /** What algorithms are chosen for: tensor cores need it of matrices. */
  static final int ALIGNMENT = 16;

  /** F32 factors of x and W in device memory. */
  enum Scales {
    NONE,
    /** One of x, one of W. */
    ONE,
    /** One of each row of x, one of each row of W. */
    ROWS
  }

  BlasShape {
    if (outs <= 0 || ins <= 0 || xStride < ins || outStride < outs) {
      throw new IllegalArgumentException(
          "%d outputs of %d inputs, strides %d and %d".formatted(outs, ins, outStride, xStride));
    }
    if ((in == BlasType.FP8_E4M3) == (scales == Scales.NONE) || in == BlasType.FLOAT32) {
      throw new IllegalArgumentException(in + " with scales " + scales);
    }
    if (out == BlasType.FP8_E4M3) {
      throw new IllegalArgumentException("results in " + out);
    }
  }

  /** BF16 times BF16. */
  static BlasShape bfloat16(
      BlasType out, boolean bias, int outs, int ins, int xStride, int outStride) {
    return new BlasShape(BlasType.BFLOAT16, out, Scales.NONE, bias, outs, ins, xStride, outStride);
  }

  /**
   * Type of the bias: the result's, but BF16 for FP8. An F32 bias beside a BF16 result is not in
   * cuBLASLt's tables, so F32 biases are rounded to BF16 once, at load; those of BF16 checkpoints
   * lose nothing. (Starting from rows filled with the bias, beta 1, would keep it exact and cost a
   * further pass over the result.)
   */
  BlasType biasType() {
    return in == BlasType.FP8_E4M3 ? BlasType.BFLOAT16 : out;
  }

  /** Bytes of x for so many rows. */
  long xBytes(int rows) {
    return (long) in.bytes() * rows * xStride;
  }

  /** Bytes of the result for so many rows. */
  long outBytes(int rows) {
    return (long) out.bytes() * rows * outStride;
  }

  /** A name for the files that choices are kept in. */
  String key() {
    return "%s-%s-%s-%s-%dx%d-%d-%d"
        .formatted(in, out, scales, bias ? "BIAS" : "PLAIN", outs, ins, xStride, outStride);
  }
}
