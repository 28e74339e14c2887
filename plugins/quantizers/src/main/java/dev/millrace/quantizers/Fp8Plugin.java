package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.List;

/**
 * FP8 checkpoints: {@code <matrix>.weight} in E4M3 with {@code weight_scale_inv} or {@code
 * weight_scale}, by which its numbers are multiplied in spite of the former's name. One scale for
 * all, one for each row, or, with {@code weight_block_size}, one for each block. Scales of
 * activations are not used: those stay as they are. Asked for with a checkpoint that is not
 * quantized, it makes FP8 of F32, BF16 or F16 at load, a scale for each row.
 */
public final class Fp8Plugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "fp8";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return Fp8Weights.stored(matrix, checkpoint) || makes(matrix, checkpoint);
  }

  private static boolean makes(String matrix, Checkpoint checkpoint) {
    var config = checkpoint.quantization();
    return !config.has("quant_method")
        && FloatMatrix.stored(matrix, checkpoint)
        && AtLoad.of("fp8", config, List.of(-1)).takes(matrix);
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    if (!Fp8Weights.stored(matrix, checkpoint)) {
      return Rounding.fp8(FloatMatrix.of(matrix, checkpoint), checkpoint);
    }
    var config = checkpoint.quantization();
    var weight = Fp8Weights.weight(matrix, checkpoint);
    Exclusions.check(matrix, weight.name(), config, "modules_to_not_convert");
    Exclusions.check(matrix, weight.name(), config, "ignored_layers");
    String inverse = matrix + ".weight_scale_inv";
    String scales = checkpoint.has(inverse) ? inverse : matrix + ".weight_scale";
    int rows = weight.side(0);
    int cols = weight.side(1);
    int[] block = block(config);
    var grid =
        block.length == 0
            ? ScaleGrid.plain(checkpoint, scales, rows)
            : ScaleGrid.blocks(checkpoint, scales, rows, cols, block[0], block[1]);
    for (String unused : new String[] {".input_scale", ".activation_scale"}) {
      if (checkpoint.has(matrix + unused)) {
        checkpoint.tensor(matrix + unused);
      }
    }
    return new Fp8Weights(weight, grid).matrix(matrix + " from FP8", checkpoint);
  }

  private static int[] block(ModelConfig config) {
    var sides = config.reals("weight_block_size");
    if (!sides.isEmpty() && (sides.size() != 2 || sides.stream().anyMatch(side -> !whole(side)))) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "FP8 with a weight_block_size of " + sides + "; known: two whole numbers from 1 on");
    }
    return sides.stream().mapToInt(Double::intValue).toArray();
  }

  private static boolean whole(double side) {
    return side >= 1 && side == (int) side;
  }
}
