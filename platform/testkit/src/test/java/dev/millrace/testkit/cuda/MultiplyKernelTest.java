package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MultiplyKernelTest {
  private final RandomGenerator random = new SplittableRandom(7);

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.cuda.DeviceWeights#formats")
  void everyFormatMultipliesAsItDecodes(DeviceFormat format) {
    int[][] shapes = {{1, 1, 1}, {3, 5, 31}, {8, 4, 33}, {9, 7, 128}, {17, 13, 257}};
    for (int[] shape : shapes) {
      var weights = DeviceWeights.random(shape[1], shape[2], format, random);
      float[] bias = shape[0] == 9 ? new float[0] : numbers(shape[1]);
      multiplies("f32", KvDtype.FLOAT32, KvDtype.FLOAT32, weights, shape[0], bias, 6e-7);
      multiplies("bf16", KvDtype.BFLOAT16, KvDtype.BFLOAT16, weights, shape[0], bias, 4e-3);
      multiplies("wide", KvDtype.BFLOAT16, KvDtype.FLOAT32, weights, shape[0], bias, 6e-7);
    }
  }

  @Test
  void aRowIsTheSameBitsAmongOthersAsAlone() {
    var weights = DeviceWeights.random(6, 259, new DeviceFormat.Int4(32, true), random);
    var all = DeviceRows.empty(KvDtype.FLOAT32, 19, 259).random(random);
    var together = run("f32", KvDtype.FLOAT32, weights, all, new float[0]);
    for (int r = 0; r < all.rows(); r++) {
      var one = DeviceRows.empty(KvDtype.FLOAT32, 1, 259);
      double[] row = all.row(r);
      one.fill(0, i -> row[i]);
      var alone = run("f32", KvDtype.FLOAT32, weights, one, new float[0]);
      assertArrayEquals(alone.row(0), together.row(r));
    }
  }

  private void multiplies(
      String suffix,
      KvDtype in,
      KvDtype to,
      DeviceWeights weights,
      int rows,
      float[] bias,
      double tolerance) {
    var x = DeviceRows.empty(in, rows, weights.matrix().cols()).random(random);
    var out = run(suffix, to, weights, x, bias);
    out.check(tolerance, weights.product(x, bias));
  }

  private static DeviceRows run(
      String suffix, KvDtype to, DeviceWeights weights, DeviceRows x, float[] bias) {
    int outs = weights.matrix().rows();
    var out = DeviceRows.empty(to, x.rows(), outs);
    Kernels.launch(
        "multiply_" + suffix + "_" + weights.suffix(),
        Grid.of(Math.ceilDiv(outs, 4), Math.ceilDiv(x.rows(), 8)).threads(128),
        x.address(),
        x.stride(),
        weights.data(),
        weights.scales(),
        weights.zeros(),
        weights.group(),
        bias.length == 0 ? MemorySegment.NULL : DeviceArrays.of(bias),
        out.address(),
        out.stride(),
        x.rows(),
        outs,
        weights.matrix().cols());
    return out;
  }

  private float[] numbers(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }
}
