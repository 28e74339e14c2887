package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static jdk.incubator.vector.FloatVector.fromArray;

import dev.millrace.engine.device.NormWeights;
import dev.millrace.spi.tensor.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * What is done to each row of activations by itself, one thread at a time. A row is copied into
 * scratch memory, where there is room for whole vectors, and back.
 */
final class VectorRows {
  private static final VectorSpecies<Float> S = Lanes.SPECIES;

  private float[] a = new float[0];
  private float[] b = new float[0];
  private final float[] lanes = new float[Lanes.WIDTH];
  private final VectorActivations activations = new VectorActivations();

  private void ensure(int count) {
    if (a.length < Lanes.padded(count)) {
      a = new float[Lanes.padded(count)];
      b = new float[a.length];
    }
  }

  private static void read(Rows x, int row, int column, int count, float[] to) {
    MemorySegment.copy(x.segment(), JAVA_FLOAT, 4 * (x.start(row) + column), to, 0, count);
  }

  private static void write(float[] from, int count, Rows out, int row, int column) {
    MemorySegment.copy(from, 0, out.segment(), JAVA_FLOAT, 4 * (out.start(row) + column), count);
  }

  /**
   * Normalises each {@code width} numbers of a row.
   *
   * @param weight filled up with zeros, like the bias
   */
  void norm(
      NormWeights norm,
      float[] weight,
      float @Nullable [] bias,
      Rows x,
      Rows out,
      int row,
      int width) {
    ensure(width);
    for (int start = 0; start < x.width(); start += width) {
      read(x, row, start, width, a);
      normalise(norm, weight, bias, width);
      write(a, width, out, row, start);
    }
  }

  private void normalise(NormWeights norm, float[] weight, float @Nullable [] bias, int width) {
    int length = Lanes.padded(width);
    Lanes.pad(a, 0, width, length);
    switch (norm.kind()) {
      case RMS -> {}
      case LAYER -> {
        shift(Lanes.sum(a, 0, length, lanes) / width, length);
        Lanes.pad(a, 0, width, length);
      }
    }
    float squares = Lanes.squares(a, length, lanes);
    float inverse = 1 / (float) Math.sqrt(squares / width + norm.eps());
    for (int i = 0; i < length; i += Lanes.STEP) {
      fromArray(S, a, i).mul(inverse).mul(fromArray(S, weight, i)).intoArray(a, i);
    }
    if (bias != null) {
      for (int i = 0; i < length; i += Lanes.STEP) {
        fromArray(S, a, i).add(fromArray(S, bias, i)).intoArray(a, i);
      }
    }
  }

  private void shift(float mean, int length) {
    for (int i = 0; i < length; i += Lanes.STEP) {
      fromArray(S, a, i).sub(mean).intoArray(a, i);
    }
  }

  void add(Rows x, Rows y, Rows out, int row) {
    int width = out.width();
    ensure(width);
    read(x, row, 0, width, a);
    read(y, row, 0, width, b);
    for (int i = 0; i < width; i += Lanes.STEP) {
      fromArray(S, a, i).add(fromArray(S, b, i)).intoArray(a, i);
    }
    write(a, width, out, row, 0);
  }

  void scale(Rows x, float by, Rows out, int row) {
    int width = out.width();
    ensure(width);
    read(x, row, 0, width, a);
    for (int i = 0; i < width; i += Lanes.STEP) {
      fromArray(S, a, i).mul(by).intoArray(a, i);
    }
    write(a, width, out, row, 0);
  }

  void softCap(Rows x, float cap, Rows out, int row) {
    int width = out.width();
    ensure(width);
    read(x, row, 0, width, a);
    VectorFunctions.softCap(a, cap, b, 0, Lanes.padded(width));
    write(a, width, out, row, 0);
  }

  void activate(Activation f, Rows x, Rows out, int row) {
    int width = out.width();
    ensure(width);
    read(x, row, 0, width, a);
    activations.run(f, a, width);
    write(a, width, out, row, 0);
  }

  /** {@code f(gate) · up}. */
  void gate(Activation f, Rows gateUp, Rows out, int row) {
    int width = out.width();
    ensure(width);
    read(gateUp, row, 0, width, a);
    read(gateUp, row, width, width, b);
    activations.run(f, a, width);
    for (int i = 0; i < width; i += Lanes.STEP) {
      fromArray(S, a, i).mul(fromArray(S, b, i)).intoArray(a, i);
    }
    write(a, width, out, row, 0);
  }
}
