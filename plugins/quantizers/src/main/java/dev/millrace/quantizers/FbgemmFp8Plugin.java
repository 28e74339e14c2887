package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * FP8 checkpoints of FBGEMM: {@code <matrix>.weight} in E4M3, a {@code weight_scale} for each row.
 */
public final class FbgemmFp8Plugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "fbgemm_fp8";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return Fp8Weights.stored(matrix, checkpoint);
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var weight = Fp8Weights.weight(matrix, checkpoint);
    Exclusions.check(matrix, weight.name(), checkpoint.quantization(), "modules_to_not_convert");
    String bound = matrix + ".input_scale_ub";
    if (checkpoint.has(bound)) {
      checkpoint.tensor(bound); // of activations, which stay as they are
    }
    var grid = ScaleGrid.plain(checkpoint, matrix + ".weight_scale", weight.side(0));
    return new Fp8Weights(weight, grid).matrix(matrix + " from FP8", checkpoint);
  }
}
