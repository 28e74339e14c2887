package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;

/** AWQ checkpoints of 4 bits with zeros, in the GEMM layout. */
public final class AwqPlugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "awq";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return checkpoint.has(matrix + ".qweight");
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    return AffineMatrix.of(AwqCodes.of(matrix, checkpoint), matrix + " from AWQ", checkpoint);
  }
}
