package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.Instruction;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;

/**
 * A layer of experts, one after the other, each over all rows that are routed to it. Used by one
 * thread.
 *
 * @param x what the experts are given
 * @param weights of each expert, by row; 0: not chosen
 * @param out of the layer
 */
record ObservedMixture(
    ObservedPass pass, Instruction.Mix mix, Rows x, double[][] weights, Rows out) {
  /** Computes a layer, and shows an observer what each expert is given. */
  static void run(
      ObservedPass pass,
      Instruction.Mix mix,
      Buffers buffers,
      int rows,
      ObservedPass.Observer observer) {
    var routed = buffers.rows(mix.routed());
    double[][] weights = new double[rows][mix.experts().count()];
    for (int row = 0; row < rows; row++) {
      ExpertMixture.weigh(mix.routing(), routed, row, weights[row]);
    }
    var mixture =
        new ObservedMixture(pass, mix, buffers.rows(mix.x()), weights, buffers.rows(mix.out()));
    float[] nothing = new float[mixture.out.width()];
    for (int row = 0; row < rows; row++) {
      mixture.out.write(row, nothing, nothing.length);
    }
    for (int expert = 0; expert < mix.experts().count(); expert++) {
      mixture.run(expert, observer);
    }
  }

  private void run(int expert, ObservedPass.Observer observer) {
    int[] chosen =
        IntStream.range(0, weights.length).filter(row -> weights[row][expert] != 0).toArray();
    var experts = mix.experts();
    try (var arena = Arena.ofShared()) {
      var given = rows(arena, chosen.length, experts.hidden());
      float[] row = new float[experts.hidden()];
      for (int i = 0; i < chosen.length; i++) {
        x.read(chosen[i], 0, row, row.length);
        given.write(i, row, row.length);
      }
      var gateUp = rows(arena, chosen.length, 2 * experts.inner());
      var inner = rows(arena, chosen.length, experts.inner());
      var output = rows(arena, chosen.length, experts.hidden());
      pass.show(experts.gateUp().get(expert), given, gateUp, chosen.length, observer);
      for (int i = 0; i < chosen.length; i++) {
        Elementwise.gate(mix.routing().activation(), gateUp, inner, i);
      }
      pass.show(experts.down().get(expert), inner, output, chosen.length, observer);
      for (int i = 0; i < chosen.length; i++) {
        add(output, i, chosen[i], (float) weights[chosen[i]][expert]);
      }
    }
  }

  private void add(Rows output, int from, int to, float weight) {
    for (int i = 0; i < out.width(); i++) {
      out.set(to, i, out.get(to, i) + weight * output.get(from, i));
    }
  }

  private static Rows rows(Arena arena, int count, int width) {
    return new Rows(arena.allocate(JAVA_FLOAT, (long) count * width), 0, width, width);
  }
}
