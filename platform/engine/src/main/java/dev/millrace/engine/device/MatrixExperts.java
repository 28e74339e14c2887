package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Experts;
import java.util.List;

/**
 * The experts of one layer. Expert i is {@code downᵢ(f(gateᵢ(x)) · upᵢ(x))}.
 *
 * @param gateUp of each expert: gate, then up, in one output
 * @param down of each expert
 */
public record MatrixExperts(List<MatrixLinear> gateUp, List<MatrixLinear> down) implements Experts {
  public MatrixExperts {
    gateUp = List.copyOf(gateUp);
    down = List.copyOf(down);
    if (gateUp.isEmpty() || gateUp.size() != down.size()) {
      throw new IllegalArgumentException(gateUp.size() + " gates for " + down.size() + " experts");
    }
    for (int i = 0; i < gateUp.size(); i++) {
      if (gateUp.get(i).out() != 2 * down.get(i).in()
          || gateUp.get(i).in() != gateUp.getFirst().in()
          || down.get(i).out() != gateUp.getFirst().in()
          || down.get(i).in() != down.getFirst().in()) {
        throw new IllegalArgumentException(down.get(i).name() + " is unlike the other experts");
      }
    }
  }

  @Override
  public int count() {
    return gateUp.size();
  }

  /** Width of what goes in and comes out. */
  public int hidden() {
    return gateUp.getFirst().in();
  }

  /** Width between the two products. */
  public int inner() {
    return down.getFirst().in();
  }
}
