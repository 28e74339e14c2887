package dev.millrace.engine.device.cpu;

import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.VectorOperators.LSHL;

import jdk.incubator.vector.VectorSpecies;

/**
 * Functions of F32 numbers, in place, with the arithmetic of {@code kernels/cpu/functions.h}. e^x:
 * x = n ln 2 + r with |r| ≤ ln 2 / 2, then the Taylor polynomial of degree 7, whose error on that
 * range is below 2^-26; from −87 down it is held at e^−87. The error function: Abramowitz and
 * Stegun 7.1.26, absolute error 1.5e-7. The Vector API's own functions differ from machine to
 * machine.
 *
 * <p>Numbers {@code start} to {@code end − 1}, whole vectors. Scratch memory has the same indices.
 *
 * <p>No method takes or returns a vector: where the compiler has compiled one by itself before its
 * callers, it may refuse to inline it, and each vector becomes an object.
 */
final class VectorFunctions {
  private static final VectorSpecies<Float> S = Lanes.SPECIES;
  private static final int STEP = Lanes.STEP;

  /** Added and taken away again, it rounds to the nearest whole number, ties to even. */
  private static final float ROUNDING = 0x1.8p23f;

  private static final float LOG2_E = (float) 1.44269504;

  /** Of ln 2, the part whose multiples are exact. */
  private static final float LN_2 = 355f / 512;

  private static final float LN_2_REST = (float) -2.12194440e-4;
  private static final int ONE = 0x3F800000;
  private static final int SIGN = 0x80000000;

  private VectorFunctions() {}

  static void exp(float[] x, int start, int end) {
    for (int i = start; i < end; i += STEP) {
      var bounded = fromArray(S, x, i).max(broadcast(S, -87)).min(broadcast(S, 88));
      var shifted = bounded.fma(broadcast(S, LOG2_E), broadcast(S, ROUNDING));
      var n = shifted.sub(broadcast(S, ROUNDING));
      var r = n.fma(broadcast(S, -LN_2), bounded);
      r = n.fma(broadcast(S, -LN_2_REST), r);
      var p = broadcast(S, 1f / 5040).fma(r, broadcast(S, 1f / 720));
      p = p.fma(r, broadcast(S, 1f / 120));
      p = p.fma(r, broadcast(S, 1f / 24));
      p = p.fma(r, broadcast(S, 1f / 6));
      p = p.fma(r, broadcast(S, 0.5f));
      p = p.fma(r, broadcast(S, 1));
      p = p.fma(r, broadcast(S, 1));
      // the lowest bits of the shifted number are n: they become an exponent
      var power = shifted.reinterpretAsInts().lanewise(LSHL, 23).add(ONE);
      p.mul(power.reinterpretAsFloats()).intoArray(x, i);
    }
  }

  static void tanh(float[] x, float[] scratch, int start, int end) {
    for (int i = start; i < end; i += STEP) {
      fromArray(S, x, i).abs().mul(2).intoArray(scratch, i);
    }
    exp(scratch, start, end);
    for (int i = start; i < end; i += STEP) {
      var sign = fromArray(S, x, i).reinterpretAsInts().and(SIGN);
      var share = broadcast(S, 2).div(fromArray(S, scratch, i).add(1));
      var size = broadcast(S, 1).sub(share).reinterpretAsInts();
      size.or(sign).reinterpretAsFloats().intoArray(x, i);
    }
  }

  static void erf(float[] x, float[] scratch, int start, int end) {
    for (int i = start; i < end; i += STEP) {
      var size = fromArray(S, x, i).abs();
      size.mul(size).neg().intoArray(scratch, i);
    }
    exp(scratch, start, end);
    for (int i = start; i < end; i += STEP) {
      var signed = fromArray(S, x, i);
      var sign = signed.reinterpretAsInts().and(SIGN);
      var t =
          broadcast(S, 1).div(signed.abs().fma(broadcast(S, (float) 0.3275911), broadcast(S, 1)));
      var p = broadcast(S, (float) 1.061405429).fma(t, broadcast(S, (float) -1.453152027));
      p = p.fma(t, broadcast(S, (float) 1.421413741));
      p = p.fma(t, broadcast(S, (float) -0.284496736));
      p = p.fma(t, broadcast(S, (float) 0.254829592));
      var tail = p.mul(t).mul(fromArray(S, scratch, i));
      var size = broadcast(S, 1).sub(tail).reinterpretAsInts();
      size.or(sign).reinterpretAsFloats().intoArray(x, i);
    }
  }

  static void softCap(float[] x, float cap, float[] scratch, int start, int end) {
    for (int i = start; i < end; i += STEP) {
      fromArray(S, x, i).div(broadcast(S, cap)).intoArray(x, i);
    }
    tanh(x, scratch, start, end);
    for (int i = start; i < end; i += STEP) {
      fromArray(S, x, i).mul(cap).intoArray(x, i);
    }
  }
}
