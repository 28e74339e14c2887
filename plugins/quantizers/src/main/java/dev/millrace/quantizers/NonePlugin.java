package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * Matrices that are not quantized: {@code <matrix>.weight} in F32, BF16 or F16, used where it lies.
 */
public final class NonePlugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "none";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return FloatMatrix.stored(matrix, checkpoint);
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    return FloatMatrix.of(matrix, checkpoint);
  }
}
