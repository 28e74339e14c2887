package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import dev.millrace.testkit.QuantizationContract;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

class QuantizersContractTest {
  /** Half a unit in the last place of numbers up to 1, and nothing for F32. */
  private static double rounding(DType dtype) {
    return switch (dtype) {
      case BF16 -> 0x1p-8;
      case F16 -> 0x1p-10;
      default -> 0;
    };
  }

  private static List<QuantizationContract.Sample> samples(
      int rows, int cols, float[] weights, double error) {
    return Stream.of(DType.F32, DType.BF16, DType.F16)
        .map(dtype ->
            new QuantizationContract.Sample(
                dtype.name(),
                new MemoryCheckpoint()
                    .floats(
                        "model.layers.0.mlp.up_proj.weight", dtype, List.of(rows, cols), weights),
                error + rounding(dtype)))
        .toList();
  }

  @Nested
  class None extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new NonePlugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return QuantizersContractTest.samples(rows, cols, weights, 0);
    }
  }

  @Nested
  class Int8 extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new Int8Plugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return QuantizersContractTest.samples(rows, cols, weights, 0.5005 / 127);
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }
  }
}
