package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * compressed-tensors checkpoints: {@code <matrix>.weight_packed} with integers of 2 to 8 bits, or
 * {@code <matrix>.weight} with signed bytes or E4M3, with a {@code weight_scale} for each tensor,
 * channel, group or block. Scales of activations are not used: those stay as they are.
 */
public final class CompressedTensorsPlugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "compressed-tensors";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return checkpoint.has(matrix + ".weight_packed")
        || Fp8Weights.stored(matrix, checkpoint)
        || hasBytes(matrix, checkpoint);
  }

  private static boolean hasBytes(String matrix, Checkpoint checkpoint) {
    String name = matrix + ".weight";
    return checkpoint.has(name) && checkpoint.tensor(name).dtype() == DType.I8;
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    boolean packed = checkpoint.has(matrix + ".weight_packed");
    String tensor = matrix + (packed ? ".weight_packed" : ".weight");
    var scheme = CompressedScheme.of(matrix, tensor, checkpoint.quantization());
    String owner = matrix + " from " + scheme.format();
    for (String unused : new String[] {".input_scale", ".input_zero_point"}) {
      if (checkpoint.has(matrix + unused)) {
        checkpoint.tensor(matrix + unused);
      }
    }
    if (packed) {
      return AffineMatrix.of(CompressedCodes.packed(matrix, scheme, checkpoint), owner, checkpoint);
    }
    if (hasBytes(matrix, checkpoint)) {
      return AffineMatrix.of(CompressedCodes.bytes(matrix, scheme, checkpoint), owner, checkpoint);
    }
    var weight = Fp8Weights.weight(matrix, checkpoint);
    var grid = CompressedCodes.grid(matrix, scheme, weight.side(0), weight.side(1), checkpoint);
    return new Fp8Weights(weight, grid).matrix(owner, checkpoint);
  }
}
