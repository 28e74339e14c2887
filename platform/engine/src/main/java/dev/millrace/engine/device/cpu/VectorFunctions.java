package dev.millrace.engine.device.cpu;

import static jdk.incubator.vector.VectorOperators.LSHL;

import jdk.incubator.vector.FloatVector;

/**
 * Functions of F32 vectors, with the arithmetic of {@code kernels/cpu/functions.h}. e^x: x = n ln 2
 * + r with |r| ≤ ln 2 / 2, then the Taylor polynomial of degree 7, whose error on that range is
 * below 2^-26; from −87 down it is held at e^−87. The error function: Abramowitz and Stegun 7.1.26,
 * absolute error 1.5e-7. The Vector API's own functions differ from machine to machine.
 */
final class VectorFunctions {
  /** Added and taken away again, it rounds to the nearest whole number, ties to even. */
  private static final float ROUNDING = 0x1.8p23f;

  private static final int SIGN = 0x80000000;

  private VectorFunctions() {}

  private static FloatVector all(float x) {
    return FloatVector.broadcast(Lanes.SPECIES, x);
  }

  static FloatVector exp(FloatVector x) {
    var bounded = x.max(all(-87)).min(all(88));
    var shifted = bounded.fma(all((float) 1.44269504), all(ROUNDING));
    var n = shifted.sub(all(ROUNDING));
    var r = n.fma(all(-355f / 512), bounded);
    r = n.fma(all((float) 2.12194440e-4), r);
    var p = all(1f / 5040);
    p = p.fma(r, all(1f / 720));
    p = p.fma(r, all(1f / 120));
    p = p.fma(r, all(1f / 24));
    p = p.fma(r, all(1f / 6));
    p = p.fma(r, all(0.5f));
    p = p.fma(r, all(1));
    p = p.fma(r, all(1));
    // the lowest bits of the shifted number are n: they become an exponent
    var power = shifted.reinterpretAsInts().lanewise(LSHL, 23).add(0x3F800000);
    return p.mul(power.reinterpretAsFloats());
  }

  static FloatVector tanh(FloatVector x) {
    var e = exp(x.abs().mul(2));
    return withSign(all(1).sub(all(2).div(e.add(1))), x);
  }

  static FloatVector erf(FloatVector x) {
    var size = x.abs();
    var t = all(1).div(size.fma(all(0.3275911f), all(1)));
    var p = all((float) 1.061405429);
    p = p.fma(t, all((float) -1.453152027));
    p = p.fma(t, all((float) 1.421413741));
    p = p.fma(t, all((float) -0.284496736));
    p = p.fma(t, all((float) 0.254829592));
    var tail = p.mul(t).mul(exp(size.mul(size).neg()));
    return withSign(all(1).sub(tail), x);
  }

  private static FloatVector withSign(FloatVector size, FloatVector sign) {
    var bit = sign.reinterpretAsInts().and(SIGN);
    return size.reinterpretAsInts().or(bit).reinterpretAsFloats();
  }

  static FloatVector silu(FloatVector x) {
    return x.div(exp(x.neg()).add(1));
  }

  static FloatVector gelu(FloatVector x) {
    return x.mul(0.5f).mul(erf(x.mul((float) 0.70710678)).add(1));
  }

  static FloatVector geluTanh(FloatVector x) {
    var cube = x.mul(x).mul(x);
    var inner = all(0.044715f).fma(cube, x).mul((float) 0.79788456);
    return x.mul(0.5f).mul(tanh(inner).add(1));
  }

  static FloatVector relu(FloatVector x) {
    return x.max(all(0));
  }

  static FloatVector softCap(FloatVector x, float cap) {
    return tanh(x.div(all(cap))).mul(all(cap));
  }
}
