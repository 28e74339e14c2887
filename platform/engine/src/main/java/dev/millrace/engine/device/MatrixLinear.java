package dev.millrace.engine.device;

import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A linear over one matrix, or several that share their input.
 *
 * @param name of the first matrix, for errors
 * @param parts at least one; their rows follow one another in the output
 * @param bias one number per output, or null
 */
public record MatrixLinear(String name, List<QuantizedMatrix> parts, float @Nullable [] bias)
    implements Linear {
  public MatrixLinear {
    parts = List.copyOf(parts);
    if (parts.stream().mapToInt(QuantizedMatrix::cols).distinct().count() != 1) {
      throw new IllegalArgumentException(name + " needs parts of one input width");
    }
    if (bias != null && bias.length != rows(parts)) {
      throw new IllegalArgumentException(name + " has a bias of " + bias.length);
    }
  }

  /** A linear without a bias. */
  public static MatrixLinear withoutBias(String name, List<QuantizedMatrix> parts) {
    return new MatrixLinear(name, parts, null);
  }

  /** Input features. */
  public int in() {
    return parts.getFirst().cols();
  }

  /** Output features. */
  public int out() {
    return rows(parts);
  }

  @Override
  public Tensor apply(Tensor x, Ops ops) {
    return Recorder.of(ops).multiply(x, this);
  }

  private static int rows(List<QuantizedMatrix> parts) {
    return parts.stream().mapToInt(QuantizedMatrix::rows).sum();
  }
}
