package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.List;

/**
 * Weight-only INT4, made at load from F32, BF16 or F16: symmetric, a scale for each 32 columns, or
 * for {@code group_size}. What {@link AtLoad} leaves alone another plugin takes.
 */
public final class Int4Plugin implements QuantizationPlugin {
  private static final List<Integer> GROUPS = List.of(32, 16, 64, 128);

  @Override
  public String name() {
    return "int4";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return settings(checkpoint).takes(matrix) && FloatMatrix.stored(matrix, checkpoint);
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    int group = settings(checkpoint).group();
    return Rounding.int4(FloatMatrix.of(matrix, checkpoint), group, checkpoint);
  }

  private AtLoad settings(Checkpoint checkpoint) {
    return AtLoad.of(name(), checkpoint.quantization(), GROUPS);
  }
}
