package dev.millrace.engine.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The softmax of scores, by vectors, whose quotient is left to be taken later. */
final class VectorSoftmax {
  private VectorSoftmax() {}

  /**
   * Leaves e^(score − largest) in the scores.
   *
   * @param count of the scores; there is room for whole vectors behind them
   * @param cap of the scores; 0: none
   * @param lanes scratch memory
   * @return their sum
   */
  static float run(float[] scores, int start, int count, float cap, float[] lanes) {
    int end = start + Lanes.padded(count);
    if (cap > 0) {
      VectorFunctions.softCap(scores, cap, new float[end], start, end);
    }
    Arrays.fill(scores, start + count, end, Float.NEGATIVE_INFINITY);
    var most = FloatVector.broadcast(Lanes.SPECIES, Float.NEGATIVE_INFINITY);
    for (int i = start; i < end; i += Lanes.STEP) {
      most = most.max(FloatVector.fromArray(Lanes.SPECIES, scores, i));
    }
    var largest = FloatVector.broadcast(Lanes.SPECIES, most.reduceLanes(VectorOperators.MAX));
    for (int i = start; i < end; i += Lanes.STEP) {
      FloatVector.fromArray(Lanes.SPECIES, scores, i).sub(largest).intoArray(scores, i);
    }
    VectorFunctions.exp(scores, start, end);
    Arrays.fill(scores, start + count, end, 0);
    return Lanes.sum(scores, start, end - start, lanes);
  }

  /** Divides {@code count} numbers, a multiple of 16. */
  static void divide(float[] numbers, int start, int count, float by) {
    for (int i = start; i < start + count; i += Lanes.STEP) {
      FloatVector.fromArray(Lanes.SPECIES, numbers, i)
          .div(FloatVector.broadcast(Lanes.SPECIES, by))
          .intoArray(numbers, i);
    }
  }
}
