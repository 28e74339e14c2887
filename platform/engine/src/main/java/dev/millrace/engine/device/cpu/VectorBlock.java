package dev.millrace.engine.device.cpu;

import static jdk.incubator.vector.FloatVector.fromArray;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Inner products of rows, several at a time, so that each vector that is loaded is used more than
 * once. A result is one chain of fused multiply-adds for each of the 16 sums of {@link Lanes},
 * whatever block it is computed in.
 *
 * <p>Rows lie {@code stride} apart and are filled up with zeros to {@code length}, a multiple of
 * 16. Results are left unfolded in {@code lanes}.
 */
final class VectorBlock {
  private static final VectorSpecies<Float> S = Lanes.SPECIES;
  private static final int W = Lanes.WIDTH;

  private VectorBlock() {}

  /** Eight rows of w with one of x: result r at {@code 16 · r}. */
  static void eightByOne(
      float[] w, int wAt, float[] x, int xAt, int stride, int length, float[] lanes) {
    var zero = FloatVector.zero(S);
    for (int pass = 0; pass < W; pass += Lanes.STEP) {
      FloatVector s0 = zero, s1 = zero, s2 = zero, s3 = zero;
      FloatVector s4 = zero, s5 = zero, s6 = zero, s7 = zero;
      for (int k = pass; k < length; k += W) {
        int at = wAt + k;
        var column = fromArray(S, x, xAt + k);
        s0 = column.fma(fromArray(S, w, at), s0);
        s1 = column.fma(fromArray(S, w, at + stride), s1);
        s2 = column.fma(fromArray(S, w, at + 2 * stride), s2);
        s3 = column.fma(fromArray(S, w, at + 3 * stride), s3);
        s4 = column.fma(fromArray(S, w, at + 4 * stride), s4);
        s5 = column.fma(fromArray(S, w, at + 5 * stride), s5);
        s6 = column.fma(fromArray(S, w, at + 6 * stride), s6);
        s7 = column.fma(fromArray(S, w, at + 7 * stride), s7);
      }
      s0.intoArray(lanes, pass);
      s1.intoArray(lanes, pass + W);
      s2.intoArray(lanes, pass + 2 * W);
      s3.intoArray(lanes, pass + 3 * W);
      s4.intoArray(lanes, pass + 4 * W);
      s5.intoArray(lanes, pass + 5 * W);
      s6.intoArray(lanes, pass + 6 * W);
      s7.intoArray(lanes, pass + 7 * W);
    }
  }

  /** Four rows of w with four of x: result of row r and token t at {@code 16 · (4 · r + t)}. */
  static void fourByFour(
      float[] w, int wAt, float[] x, int xAt, int stride, int length, float[] lanes) {
    var zero = FloatVector.zero(S);
    for (int pass = 0; pass < W; pass += Lanes.STEP) {
      FloatVector a0 = zero, a1 = zero, a2 = zero, a3 = zero;
      FloatVector b0 = zero, b1 = zero, b2 = zero, b3 = zero;
      FloatVector c0 = zero, c1 = zero, c2 = zero, c3 = zero;
      FloatVector d0 = zero, d1 = zero, d2 = zero, d3 = zero;
      for (int k = pass; k < length; k += W) {
        int at = wAt + k;
        var wa = fromArray(S, w, at);
        var wb = fromArray(S, w, at + stride);
        var wc = fromArray(S, w, at + 2 * stride);
        var wd = fromArray(S, w, at + 3 * stride);
        var x0 = fromArray(S, x, xAt + k);
        a0 = wa.fma(x0, a0);
        b0 = wb.fma(x0, b0);
        c0 = wc.fma(x0, c0);
        d0 = wd.fma(x0, d0);
        var x1 = fromArray(S, x, xAt + stride + k);
        a1 = wa.fma(x1, a1);
        b1 = wb.fma(x1, b1);
        c1 = wc.fma(x1, c1);
        d1 = wd.fma(x1, d1);
        var x2 = fromArray(S, x, xAt + 2 * stride + k);
        a2 = wa.fma(x2, a2);
        b2 = wb.fma(x2, b2);
        c2 = wc.fma(x2, c2);
        d2 = wd.fma(x2, d2);
        var x3 = fromArray(S, x, xAt + 3 * stride + k);
        a3 = wa.fma(x3, a3);
        b3 = wb.fma(x3, b3);
        c3 = wc.fma(x3, c3);
        d3 = wd.fma(x3, d3);
      }
      a0.intoArray(lanes, pass);
      a1.intoArray(lanes, pass + W);
      a2.intoArray(lanes, pass + 2 * W);
      a3.intoArray(lanes, pass + 3 * W);
      b0.intoArray(lanes, pass + 4 * W);
      b1.intoArray(lanes, pass + 5 * W);
      b2.intoArray(lanes, pass + 6 * W);
      b3.intoArray(lanes, pass + 7 * W);
      c0.intoArray(lanes, pass + 8 * W);
      c1.intoArray(lanes, pass + 9 * W);
      c2.intoArray(lanes, pass + 10 * W);
      c3.intoArray(lanes, pass + 11 * W);
      d0.intoArray(lanes, pass + 12 * W);
      d1.intoArray(lanes, pass + 13 * W);
      d2.intoArray(lanes, pass + 14 * W);
      d3.intoArray(lanes, pass + 15 * W);
    }
  }

  /**
   * Adds weighted rows to sums, one row after the other.
   *
   * @param width numbers of a row, a multiple of 16
   */
  static void weigh(
      float[] rows,
      int stride,
      int count,
      float[] weights,
      int weightAt,
      float[] sums,
      int sumAt,
      int width) {
    for (int i = 0; i < width; i += Lanes.STEP) {
      var sum = fromArray(S, sums, sumAt + i);
      int at = i;
      for (int row = 0; row < count; row++) {
        var weight = FloatVector.broadcast(S, weights[weightAt + row]);
        sum = weight.fma(fromArray(S, rows, at), sum);
        at += stride;
      }
      sum.intoArray(sums, sumAt + i);
    }
  }
}
