package dev.millrace.testkit;

import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;

/** A head over rows of a table. */
record HeadedModel(MemoryMatrix table, MatrixLinear head) implements Model {
  @Override
  public Tensor hidden(Ops ops) {
    return ops.embed(new MatrixEmbedding("table", table));
  }

  @Override
  public Tensor logits(Tensor rows, Ops ops) {
    return head.apply(rows, ops);
  }
}
