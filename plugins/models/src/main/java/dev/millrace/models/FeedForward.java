package dev.millrace.models;

import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Routing;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;

/** The feed-forward part of one layer. */
sealed interface FeedForward {
  Tensor apply(Tensor x, Ops ops);

  /** {@code down(f(gate(x)) · up(x))}, gate and up in matrices of their own. */
  static FeedForward gated(Shape shape, Weights mlp) {
    return gated("gate_proj", "up_proj", "down_proj", shape, mlp);
  }

  /** The same, by names of their own. */
  static FeedForward gated(String gate, String up, String down, Shape shape, Weights mlp) {
    var parts = List.of(new Part(gate, shape.inner()), new Part(up, shape.inner()));
    return new Gated(
        shape.activation(),
        mlp.merged(parts, shape.hidden(), Split.COLUMN),
        mlp.linear(down, shape.hidden(), shape.inner(), Split.ROW));
  }

  /** The same, with gate and up in one matrix. */
  static FeedForward fused(Shape shape, Weights mlp) {
    return new Gated(
        shape.activation(),
        mlp.linear("gate_up_proj", 2 * shape.inner(), shape.hidden(), Split.COLUMN),
        mlp.linear("down_proj", shape.hidden(), shape.inner(), Split.ROW));
  }

  /** {@code down(f(up(x)))}. */
  static FeedForward plain(Shape shape, Weights mlp) {
    return new Plain(
        shape.activation(),
        mlp.linear("c_fc", shape.inner(), shape.hidden(), Split.COLUMN),
        mlp.linear("c_proj", shape.hidden(), shape.inner(), Split.ROW));
  }

  /** With a gate. */
  record Gated(Activation f, Linear gateUp, Linear down) implements FeedForward {
    @Override
    public Tensor apply(Tensor x, Ops ops) {
      return down.apply(ops.gated(f, gateUp.apply(x, ops)), ops);
    }
  }

  /** Without one. */
  record Plain(Activation f, Linear up, Linear down) implements FeedForward {
    @Override
    public Tensor apply(Tensor x, Ops ops) {
      return down.apply(ops.activate(f, up.apply(x, ops)), ops);
    }
  }

  /** A mixture of experts, each with a gate. */
  record Mixed(Linear router, Experts experts, Routing routing) implements FeedForward {
    @Override
    public Tensor apply(Tensor x, Ops ops) {
      return ops.experts(x, router, experts, routing);
    }
  }
}
