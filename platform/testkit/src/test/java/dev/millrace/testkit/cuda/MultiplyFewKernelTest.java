package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MultiplyFewKernelTest {
  private final RandomGenerator random = new SplittableRandom(29);

  /**
   * Rows that a kernel takes at most, rows, outputs, inputs: some lanes without, some with many.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 8",
    "1, 1, 19, 1368",
    "2, 2, 9, 264",
    "2, 1, 17, 1032",
    "2, 2, 8, 2056",
    "1, 1, 5, 800"
  })
  void multiplies(int most, int rows, int outs, int ins) {
    var weights = DeviceWeights.random(outs, ins, new DeviceFormat.Bf16(), random);
    var x = DeviceRows.aligned(KvDtype.BFLOAT16, rows, ins).random(random);
    float[] bias = new float[outs];
    for (int i = 0; i < outs; i++) {
      bias[i] = (float) random.nextGaussian();
    }
    run("multiply_few_" + most, KvDtype.BFLOAT16, weights, x, bias)
        .check(4e-3, weights.product(x, bias));
    run("multiply_few_wide_" + most, KvDtype.FLOAT32, weights, x, new float[0])
        .check(1e-6, weights.product(x, new float[0]));
  }

  private static DeviceRows run(
      String kernel, KvDtype type, DeviceWeights weights, DeviceRows x, float[] bias) {
    int outs = weights.matrix().rows();
    var out = DeviceRows.empty(type, x.rows(), outs);
    Kernels.launch(
        kernel,
        Grid.of(Math.ceilDiv(outs, 8)),
        x.address(),
        x.stride(),
        weights.data(),
        bias.length == 0 ? MemorySegment.NULL : DeviceArrays.of(bias),
        out.address(),
        out.stride(),
        x.rows(),
        outs,
        weights.matrix().cols());
    out.requireGuards();
    return out;
  }
}
