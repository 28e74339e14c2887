package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MultiplyFewPackedKernelTest {
  private static final int PLAIN = -1;

  private final RandomGenerator random = new SplittableRandom(29);

  /**
   * Rows, outputs, inputs, blocks: some warps without a span, some with more than are on their way,
   * blocks of one band and of several.
   */
  private record Problem(int rows, int outs, int ins, int blocks) {}

  private static final List<Problem> PROBLEMS =
      List.of(
          new Problem(1, 1, 16, 1),
          new Problem(8, 33, 1424, 3),
          new Problem(2, 16, 6160, 1),
          new Problem(3, 87, 1040, 2),
          new Problem(5, 47, 4608, 1),
          new Problem(9, 33, 1424, 3),
          new Problem(16, 87, 1040, 2));

  static List<DeviceFormat> formats() {
    return List.of(
        new DeviceFormat.Int8(0),
        new DeviceFormat.Int8(64),
        new DeviceFormat.Int8(0, true),
        new DeviceFormat.Int8(64, true),
        new DeviceFormat.Fp8(0, 0),
        new DeviceFormat.Fp8(5, 64),
        new DeviceFormat.Fp8(128, 128),
        new DeviceFormat.Int4(128, false),
        new DeviceFormat.Int4(128, true),
        new DeviceFormat.Code4(128));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void multipliesAsTheFormatDecodes(DeviceFormat format) {
    for (var problem : PROBLEMS) {
      var weights = DeviceWeights.random(problem.outs, problem.ins, format, random);
      var x = DeviceRows.aligned(KvDtype.BFLOAT16, problem.rows, problem.ins).random(random);
      float[] bias = bias(problem.outs);
      run(problem.blocks, PLAIN, KvDtype.FLOAT32, weights, x, bias)
          .check(2.6e-6, weights.product(x, bias));
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void gatesWhatItMultiplies(DeviceFormat format) {
    for (int activation = 0; activation < 4; activation++) {
      int width = 37;
      int rows = 3 + 4 * activation;
      float[] bias = bias(2 * width);
      var weights = DeviceWeights.random(2 * width, 656, format, random);
      var x = DeviceRows.aligned(KvDtype.BFLOAT16, rows, 656).random(random);
      var factors = run(2, PLAIN, KvDtype.BFLOAT16, weights, x, bias);
      var out = run(2, activation, KvDtype.BFLOAT16, weights, x, bias);
      Gates.check(activation, factors, out);
    }
  }

  @Test
  void withoutBiasToBf16() {
    var weights = DeviceWeights.random(300, 136, new DeviceFormat.Int4(128, false), random);
    var x = DeviceRows.aligned(KvDtype.BFLOAT16, 3, 136).random(random);
    var out = run(4, PLAIN, KvDtype.BFLOAT16, weights, x, new float[0]);
    out.check(4e-3, weights.product(x, new float[0]));
  }

  private float[] bias(int count) {
    float[] bias = new float[count];
    for (int i = 0; i < count; i++) {
      bias[i] = (float) random.nextGaussian();
    }
    return bias;
  }

  private static DeviceRows run(
      int blocks, int activation, KvDtype to, DeviceWeights weights, DeviceRows x, float[] bias) {
    int outs = weights.matrix().rows();
    var out = DeviceRows.empty(to, x.rows(), activation < 0 ? outs : outs / 2);
    Kernels.launch(
        "multiply_few_" + weights.suffix() + (x.rows() > 8 ? "_16" : "_8"),
        Grid.of(blocks),
        x.address(),
        x.stride(),
        weights.data(),
        weights.scales(),
        weights.zeros(),
        weights.group(),
        bias.length == 0 ? MemorySegment.NULL : DeviceArrays.of(bias),
        out.address(),
        out.stride(),
        to == KvDtype.FLOAT32 ? 1 : 0,
        x.rows(),
        outs,
        weights.matrix().cols(),
        activation);
    out.requireGuards();
    return out;
  }
}
