package com.example.ternary;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Makes each weight of a BF16 matrix −1, 0 or 1 times a scale of its row, at load: a toy. */
public final class TernaryPlugin implements QuantizationPlugin {
  private static final ValueLayout.OfShort BF16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public String name() {
    return "ternary";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return checkpoint.has(matrix + ".weight")
        && checkpoint.tensor(matrix + ".weight").dtype() == DType.BF16
        && !matrix.matches(".*(embed_tokens|lm_head)");
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var tensor = checkpoint.tensor(matrix + ".weight");
    if (tensor.shape().size() != 2 || tensor.bytes().byteSize() != 2 * tensor.elements()) {
      throw new InferenceException(ErrorCode.BAD_SHAPE, tensor.name() + " is no matrix");
    }
    float[] weights = new float[tensor.shape().get(1).intValue()];
    var made = TernaryMatrix.of(tensor.shape().get(0).intValue(), weights.length, checkpoint);
    for (int row = 0; row < made.rows(); row++) {
      for (int i = 0; i < weights.length; i++) {
        long at = 2 * ((long) row * weights.length + i);
        weights[i] = Float.intBitsToFloat(tensor.bytes().get(BF16, at) << 16);
        if (!Float.isFinite(weights[i])) {
          throw new InferenceException(
              ErrorCode.INVALID_CHECKPOINT, tensor.name() + " has no number in row " + row);
        }
      }
      made.write(row, weights);
    }
    return made;
  }
}
