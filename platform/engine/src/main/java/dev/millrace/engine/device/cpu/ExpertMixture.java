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

  ExpertMixture(Product product) {
    this.product = product;
  }

  void run(Instruction.Mix mix, Rows x, Rows routed, Rows out, int rows) {
    var experts = mix.experts();
    var memory = Arena.ofAuto(); // kernels want addresses
    var in = row(experts.hidden(), memory);
    var gateUp = row(2 * experts.inner(), memory);
    var inner = row(experts.inner(), memory);
    var output = row(experts.hidden(), memory);
    float[] input = new float[experts.hidden()];
    double[] sum = new double[experts.hidden()];
    double[] weights = new double[experts.count()];
    for (int row = 0; row < rows; row++) {
      x.read(row, 0, input, input.length);
      in.write(0, input, input.length);
      weigh(mix.routing(), routed, row, weights);
      Arrays.fill(sum, 0);
      for (int expert = 0; expert < weights.length; expert++) {
        if (weights[expert] == 0) {
          continue;
        }
        product.run(experts.gateUp().get(expert), in, gateUp, 1);
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
  private static void weigh(Routing routing, Rows routed, int row, double[] weights) {
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

  private static Rows row(int width, Arena memory) {
    return new Rows(memory.allocate(JAVA_FLOAT, width), 0, width, width);
  }
}
