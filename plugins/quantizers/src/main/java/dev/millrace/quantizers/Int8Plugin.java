package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * Weight-only INT8, made at load from F32, BF16 or F16: symmetric, one scale per output row. Token
 * tables and heads are left alone (names ending in {@code embed_tokens} or {@code lm_head}), as
 * they are where the error shows most; another plugin takes them.
 */
public final class Int8Plugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "int8";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return !matrix.endsWith("embed_tokens")
        && !matrix.endsWith("lm_head")
        && FloatMatrix.stored(matrix, checkpoint);
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    return Int8Matrix.quantize(FloatMatrix.of(matrix, checkpoint), checkpoint);
  }
}
