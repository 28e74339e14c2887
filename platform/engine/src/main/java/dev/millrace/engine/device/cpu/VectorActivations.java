package dev.millrace.engine.device.cpu;

import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;

import dev.millrace.spi.tensor.Activation;
import jdk.incubator.vector.VectorSpecies;

/**
 * Activations of the first {@code count} numbers, in place, with the arithmetic of {@code
 * kernels/cpu/rows.c}. There is room for whole vectors.
 */
final class VectorActivations {
  private static final VectorSpecies<Float> S = Lanes.SPECIES;
  private static final int STEP = Lanes.STEP;

  private float[] inner = new float[0];
  private float[] scratch = new float[0];

  void run(Activation f, float[] x, int count) {
    int end = Lanes.padded(count);
    inner = Lanes.room(inner, end);
    scratch = Lanes.room(scratch, end);
    switch (f) {
      case SILU -> silu(x, end);
      case GELU -> gelu(x, end);
      case GELU_TANH -> geluTanh(x, end);
      case RELU -> relu(x, end);
    }
  }

  private void silu(float[] x, int end) {
    for (int i = 0; i < end; i += STEP) {
      fromArray(S, x, i).neg().intoArray(inner, i);
    }
    VectorFunctions.exp(inner, 0, end);
    for (int i = 0; i < end; i += STEP) {
      fromArray(S, x, i).div(fromArray(S, inner, i).add(1)).intoArray(x, i);
    }
  }

  private void gelu(float[] x, int end) {
    for (int i = 0; i < end; i += STEP) {
      fromArray(S, x, i).mul((float) 0.70710678).intoArray(inner, i);
    }
    VectorFunctions.erf(inner, scratch, 0, end);
    halves(x, end);
  }

  private void geluTanh(float[] x, int end) {
    for (int i = 0; i < end; i += STEP) {
      var v = fromArray(S, x, i);
      var cube = v.mul(v).mul(v);
      var sum = broadcast(S, 0.044715f).fma(cube, v);
      sum.mul((float) 0.79788456).intoArray(inner, i);
    }
    VectorFunctions.tanh(inner, scratch, 0, end);
    halves(x, end);
  }

  /** x/2 · (1 + inner) */
  private void halves(float[] x, int end) {
    for (int i = 0; i < end; i += STEP) {
      var half = fromArray(S, x, i).mul(0.5f);
      half.mul(fromArray(S, inner, i).add(1)).intoArray(x, i);
    }
  }

  private static void relu(float[] x, int end) {
    for (int i = 0; i < end; i += STEP) {
      fromArray(S, x, i).max(0).intoArray(x, i);
    }
  }
}
