package dev.millrace.engine.load;

import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixExperts;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Vector;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Makes the handles that recorded programs refer to; every device reads the weights from them.
 *
 * @param arrangement takes each matrix over, and gives it as it is kept
 */
record WeightHandles(UnaryOperator<QuantizedMatrix> arrangement) implements WeightTarget {
  @Override
  public Linear linear(String name, List<QuantizedMatrix> parts, float @Nullable [] bias) {
    return new MatrixLinear(name, arranged(parts), bias);
  }

  @Override
  public Embedding embedding(String name, QuantizedMatrix table) {
    return new MatrixEmbedding(name, arrangement.apply(table));
  }

  @Override
  public Experts experts(
      String name, List<List<QuantizedMatrix>> gateUp, List<QuantizedMatrix> down) {
    return new MatrixExperts(
        gateUp.stream().map(parts -> MatrixLinear.withoutBias(name, arranged(parts))).toList(),
        down.stream()
            .map(part -> MatrixLinear.withoutBias(name, arranged(List.of(part))))
            .toList());
  }

  private List<QuantizedMatrix> arranged(List<QuantizedMatrix> parts) {
    return parts.stream().map(arrangement).toList();
  }

  @Override
  public Tensor vector(String name, float[] values) {
    return new Vector(name, values);
  }
}
