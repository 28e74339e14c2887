package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.Instruction;
import dev.millrace.spi.tensor.Routing;
import java.lang.foreign.Arena;
import java.util.Arrays;

/**
 * Mixture-of-experts layers, one row after the other: its experts in the order of their numbers,
 * their outputs added in F64.
 */
final class ExpertMixture {
  private final Product product;
  private Rows gateUp = row(0);
  private Rows inner = row(0);
  private Rows output = row(0);

  ExpertMixture(Product product) {
    this.product = product;
  }

  void run(Instruction.Mix mix, Rows x, Rows routed, Rows out, int rows) {
    var experts = mix.experts();
    ensure(experts.inner(), experts.hidden());
    double[] sum = new double[experts.hidden()];
    double[] weights = new double[experts.count()];
    for (int row = 0; row < rows; row++) {
      weigh(mix.routing(), routed, row, weights);
      Arrays.fill(sum, 0);
      for (int expert = 0; expert < weights.length; expert++) {
        if (weights[expert] == 0) {
          continue;
        }
        product.run(experts.gateUp().get(expert), x.row(row), gateUp, 1);
        Elementwise.gate(mix.routing().activation(), gateUp, inner, 0);
        product.run(experts.down().get(expert), inner, output, 1);
        for (int i = 0; i < sum.length; i++) {
          sum[i] += weights[expert] * output.get(0, i);
        }
      }
      for (int i = 0; i < sum.length; i++) {
        out.set(row, i, (float) sum[i]);
      }
    }
  }

  /** The weight of each expert, 0 for those not chosen; of equal ones, the first is chosen. */
  static void weigh(Routing routing, Rows routed, int row, double[] weights) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < weights.length; i++) {
      largest = Math.max(largest, routed.get(row, i));
    }
    double total = 0;
    double[] all = new double[weights.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = Math.exp(routed.get(row, i) - largest);
      total += all[i];
    }
    Arrays.fill(weights, 0);
    double chosen = 0;
    for (int n = 0; n < routing.perToken(); n++) {
      int best = 0;
      for (int i = 1; i < all.length; i++) {
        best = all[i] > all[best] ? i : best;
      }
      weights[best] = all[best];
      chosen += all[best];
      all[best] = -1;
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= routing.normalise() ? chosen : total;
    }
  }

  private void ensure(int innerWidth, int hidden) {
    if (inner.width() != innerWidth || output.width() != hidden) {
      gateUp = row(2 * innerWidth);
      inner = row(innerWidth);
      output = row(hidden);
    }
  }

  /** Outside the heap, as kernels want addresses; layers are alike, so it is rarely made anew. */
  private static Rows row(int width) {
    return new Rows(Arena.ofAuto().allocate(JAVA_FLOAT, width), 0, width, width);
  }
}
