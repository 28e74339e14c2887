package dev.millrace.engine.device.cpu;

import jdk.incubator.vector.FloatVector;

/**
 * Inner products of rows, several at a time, so that each vector that is loaded is used more than
 * once. A result is one chain of fused multiply-adds for each of the 16 sums of {@link Lanes},
 * whatever block it is computed in.
 *
 * <p>Rows lie {@code stride} apart and are filled up with zeros to {@code length}, a multiple of
 * 16. Results are left unfolded in {@code lanes}.
 */
final class VectorBlock {
  private static final int W = Lanes.WIDTH;

  private VectorBlock() {}

  private static FloatVector load(float[] numbers, int at) {
    return FloatVector.fromArray(Lanes.SPECIES, numbers, at);
  }

  /** Eight rows of w with one of x: result r at {@code 16 · r}. */
  static void eightByOne(
      float[] w, int wAt, float[] x, int xAt, int stride, int length, float[] lanes) {
    for (int pass = 0; pass < W; pass += Lanes.STEP) {
      var s0 = FloatVector.zero(Lanes.SPECIES);
      var s1 = s0;
      var s2 = s0;
      var s3 = s0;
      var s4 = s0;
      var s5 = s0;
      var s6 = s0;
      var s7 = s0;
      for (int k = pass; k < length; k += W) {
        int at = wAt + k;
        var column = load(x, xAt + k);
        s0 = column.fma(load(w, at), s0);
        s1 = column.fma(load(w, at + stride), s1);
        s2 = column.fma(load(w, at + 2 * stride), s2);
        s3 = column.fma(load(w, at + 3 * stride), s3);
        s4 = column.fma(load(w, at + 4 * stride), s4);
        s5 = column.fma(load(w, at + 5 * stride), s5);
        s6 = column.fma(load(w, at + 6 * stride), s6);
        s7 = column.fma(load(w, at + 7 * stride), s7);
      }
      store(lanes, pass, s0, s1, s2, s3);
      store(lanes, pass + 4 * W, s4, s5, s6, s7);
    }
  }

  /** Four rows of w with four of x: result of row r and token t at {@code 16 · (4 · r + t)}. */
  static void fourByFour(
      float[] w, int wAt, float[] x, int xAt, int stride, int length, float[] lanes) {
    for (int pass = 0; pass < W; pass += Lanes.STEP) {
      var a0 = FloatVector.zero(Lanes.SPECIES);
      var a1 = a0;
      var a2 = a0;
      var a3 = a0;
      var b0 = a0;
      var b1 = a0;
      var b2 = a0;
      var b3 = a0;
      var c0 = a0;
      var c1 = a0;
      var c2 = a0;
      var c3 = a0;
      var d0 = a0;
      var d1 = a0;
      var d2 = a0;
      var d3 = a0;
      for (int k = pass; k < length; k += W) {
        int at = wAt + k;
        var wa = load(w, at);
        var wb = load(w, at + stride);
        var wc = load(w, at + 2 * stride);
        var wd = load(w, at + 3 * stride);
        var x0 = load(x, xAt + k);
        a0 = wa.fma(x0, a0);
        b0 = wb.fma(x0, b0);
        c0 = wc.fma(x0, c0);
        d0 = wd.fma(x0, d0);
        var x1 = load(x, xAt + stride + k);
        a1 = wa.fma(x1, a1);
        b1 = wb.fma(x1, b1);
        c1 = wc.fma(x1, c1);
        d1 = wd.fma(x1, d1);
        var x2 = load(x, xAt + 2 * stride + k);
        a2 = wa.fma(x2, a2);
        b2 = wb.fma(x2, b2);
        c2 = wc.fma(x2, c2);
        d2 = wd.fma(x2, d2);
        var x3 = load(x, xAt + 3 * stride + k);
        a3 = wa.fma(x3, a3);
        b3 = wb.fma(x3, b3);
        c3 = wc.fma(x3, c3);
        d3 = wd.fma(x3, d3);
      }
      store(lanes, pass, a0, a1, a2, a3);
      store(lanes, pass + 4 * W, b0, b1, b2, b3);
      store(lanes, pass + 8 * W, c0, c1, c2, c3);
      store(lanes, pass + 12 * W, d0, d1, d2, d3);
    }
  }

  private static void store(
      float[] lanes, int at, FloatVector s0, FloatVector s1, FloatVector s2, FloatVector s3) {
    s0.intoArray(lanes, at);
    s1.intoArray(lanes, at + W);
    s2.intoArray(lanes, at + 2 * W);
    s3.intoArray(lanes, at + 3 * W);
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
      var sum = load(sums, sumAt + i);
      int at = i;
      for (int row = 0; row < count; row++) {
        var weight = FloatVector.broadcast(Lanes.SPECIES, weights[weightAt + row]);
        sum = weight.fma(load(rows, at), sum);
        at += stride;
      }
      sum.intoArray(sums, sumAt + i);
    }
  }
}
