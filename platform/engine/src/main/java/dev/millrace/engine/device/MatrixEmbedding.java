package dev.millrace.engine.device;

import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;

/** A token table; as a linear, the head of a model with tied embeddings. */
public record MatrixEmbedding(String name, QuantizedMatrix table) implements Embedding {
  @Override
  public int vocabulary() {
    return table.rows();
  }

  @Override
  public int width() {
    return table.cols();
  }

  @Override
  public Tensor apply(Tensor x, Ops ops) {
    return MatrixLinear.withoutBias(name, List.of(table)).apply(x, ops);
  }
}
