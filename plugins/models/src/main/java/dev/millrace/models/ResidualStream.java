package dev.millrace.models;

import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The sum that layers add to, while a pass is recorded. */
final class ResidualStream {
  private final Ops ops;
  private Tensor sum;

  ResidualStream(Tensor start, Ops ops) {
    this.ops = ops;
    this.sum = start;
  }

  /** The stream behind a norm, or as it is. */
  Tensor behind(@Nullable Norm norm) {
    return norm == null ? sum : ops.norm(sum, norm);
  }

  /** Adds x; returns the stream behind a norm, or as it is. */
  Tensor add(Tensor x, @Nullable Norm norm) {
    if (norm != null) {
      return ops.addNorm(sum, x, norm);
    }
    sum = ops.add(sum, x);
    return sum;
  }
}
