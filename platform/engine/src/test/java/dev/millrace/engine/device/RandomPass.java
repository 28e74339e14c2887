package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** A forward pass that makes no sense but is well formed: random operations on random tensors. */
final class RandomPass {
  private static final int[] WIDTHS = {4, 8, 16, 32};

  private final RandomGenerator random;
  private final List<Tensor> tensors = new ArrayList<>();

  RandomPass(RandomGenerator random) {
    this.random = random;
  }

  Tensor record(Tensor input, Ops ops) {
    tensors.add(input);
    int operations = random.nextInt(40);
    for (int i = 0; i < operations; i++) {
      tensors.addAll(operation(ops));
    }
    return pick();
  }

  private List<Tensor> operation(Ops ops) {
    var x = pick();
    return switch (random.nextInt(11)) {
      case 0 -> List.of(ops.embed(new MatrixEmbedding("table", new EmptyMatrix(10, width()))));
      case 1 -> List.of(ops.norm(x, norm(x.width())));
      case 2 -> List.of(ops.addNorm(x, fit(x, ops), norm(x.width())));
      case 3 -> List.of(ops.headNorm(x, 2, norm(2)));
      case 4 -> List.of(fit(x, ops), EmptyMatrix.linear(width(), x.width()).apply(x, ops));
      case 5 -> List.of(ops.attention(0, x, fit(x, ops), fit(x, ops), heads()));
      case 6 -> List.of(ops.gated(Activation.SILU, x));
      case 7 -> List.of(ops.activate(Activation.RELU, x));
      case 8 -> List.of(ops.add(x, fit(x, ops)));
      case 9 -> List.of(ops.softCap(ops.scale(x, 2), 30));
      default -> ops.split(x, 2, x.width() - 2);
    };
  }

  /** A tensor of the same width as x, maybe x itself. */
  private Tensor fit(Tensor x, Ops ops) {
    var y = pick();
    return y.width() == x.width() ? y : EmptyMatrix.linear(x.width(), y.width()).apply(y, ops);
  }

  /** One that later operations can work on: even, and wide enough to be split. */
  private Tensor pick() {
    var usable = tensors.stream().filter(t -> t.width() >= 4 && t.width() % 4 == 0).toList();
    return usable.get(random.nextInt(usable.size()));
  }

  private int width() {
    return WIDTHS[random.nextInt(WIDTHS.length)];
  }

  private static Norm norm(int width) {
    return Norm.rms(new Vector(new float[width]), 1e-5f);
  }

  private static Attention heads() {
    return new Attention(4, 1, 0, 0, null);
  }
}
