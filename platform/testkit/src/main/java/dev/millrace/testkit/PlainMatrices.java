package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;

/** Reads unquantized matrices in the plainest way, so that contracts need no plugin jar. */
public final class PlainMatrices implements QuantizationPlugin {
  @Override
  public String name() {
    return "plain";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return checkpoint.has(matrix + ".weight");
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var tensor = checkpoint.tensor(matrix + ".weight");
    float[] values = new float[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          tensor.dtype() == DType.F32
              ? tensor.bytes().get(JAVA_FLOAT_UNALIGNED, 4L * i)
              : half(tensor.dtype(), tensor.bytes().get(JAVA_SHORT_UNALIGNED, 2L * i));
    }
    int rows = Math.toIntExact(tensor.shape().getFirst());
    return new MemoryMatrix(rows, Math.toIntExact(tensor.shape().getLast()), values);
  }

  private static float half(DType dtype, short bits) {
    return dtype == DType.BF16 ? Float.intBitsToFloat(bits << 16) : Float.float16ToFloat(bits);
  }
}
