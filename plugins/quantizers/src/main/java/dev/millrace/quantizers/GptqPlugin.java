package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * GPTQ checkpoints of 2, 3, 4 and 8 bits: {@code <matrix>.qweight} with its zeros, scales and
 * groups, in the formats {@code gptq} and {@code gptq_v2}.
 */
public final class GptqPlugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "gptq";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return checkpoint.has(matrix + ".qweight");
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var codes = GptqCodes.of(matrix, checkpoint);
    return AffineMatrix.of(
        codes, "%s from GPTQ of %d bits".formatted(matrix, codes.bits()), checkpoint);
  }
}
