package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormKernelTest {
  private static final int ROWS = 5;
  private static final float EPS = 1e-3f;

  private final RandomGenerator random = new SplittableRandom(5);

  @ParameterizedTest
  @CsvSource({
    "1, 1", "3, 1", "31, 1", "32, 1", "33, 1", "255, 1", "257, 1", "1100, 1", "8, 3", "64, 5"
  })
  void eachRunIsNormalised(int width, int runs) {
    for (int layer = 0; layer < 2; layer++) {
      normalises("f32", KvDtype.FLOAT32, width, runs, layer, 3.6e-7);
      normalises("bf16", KvDtype.BFLOAT16, width, runs, layer, 4e-3);
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "31", "33", "256", "600"})
  void theSumStaysInTheResidual(int width) {
    for (int layer = 0; layer < 2; layer++) {
      adds("f32", KvDtype.FLOAT32, width, layer, 3.6e-7);
      adds("bf16", KvDtype.BFLOAT16, width, layer, 4e-3);
    }
  }

  private void normalises(
      String suffix, KvDtype type, int width, int runs, int layer, double tolerance) {
    var x = DeviceRows.empty(type, ROWS, width * runs).random(random);
    var out = DeviceRows.empty(type, ROWS, width * runs);
    float[] weight = numbers(width);
    float[] bias = layer == 1 ? numbers(width) : new float[0];
    Kernels.launch(
        "norm_" + suffix,
        Grid.of(ROWS, runs),
        x.address(),
        x.stride(),
        out.address(),
        out.stride(),
        width,
        DeviceArrays.of(weight),
        bias.length == 0 ? MemorySegment.NULL : DeviceArrays.of(bias),
        EPS,
        layer);
    double[][] expected = new double[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      expected[r] = normalised(x.row(r), width, weight, bias, layer);
    }
    out.check(tolerance, expected);
  }

  private void adds(String suffix, KvDtype type, int width, int layer, double tolerance) {
    var residual = DeviceRows.empty(type, ROWS, width).random(random);
    var x = DeviceRows.empty(type, ROWS, width).random(random);
    var out = DeviceRows.empty(type, ROWS, width);
    float[] weight = numbers(width);
    double[][] sum = new double[ROWS][width];
    for (int r = 0; r < ROWS; r++) {
      for (int i = 0; i < width; i++) {
        sum[r][i] = residual.row(r)[i] + x.row(r)[i];
      }
    }
    Kernels.launch(
        "add_norm_" + suffix,
        Grid.of(ROWS),
        residual.address(),
        residual.stride(),
        x.address(),
        x.stride(),
        out.address(),
        out.stride(),
        width,
        DeviceArrays.of(weight),
        MemorySegment.NULL,
        EPS,
        layer);
    residual.check(tolerance, sum);
    double[][] expected = new double[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      expected[r] = normalised(residual.row(r), width, weight, new float[0], layer);
    }
    out.check(tolerance, expected);
  }

  private static double[] normalised(
      double[] x, int width, float[] weight, float[] bias, int layer) {
    double[] out = new double[x.length];
    for (int start = 0; start < x.length; start += width) {
      double mean = 0;
      double squares = 0;
      for (int i = 0; layer == 1 && i < width; i++) {
        mean += x[start + i] / width;
      }
      for (int i = 0; i < width; i++) {
        squares += (x[start + i] - mean) * (x[start + i] - mean) / width;
      }
      for (int i = 0; i < width; i++) {
        out[start + i] = (x[start + i] - mean) / Math.sqrt(squares + EPS) * weight[i];
        out[start + i] += bias.length == 0 ? 0 : bias[i];
      }
    }
    return out;
  }

  private float[] numbers(int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextDouble(0.5, 1.5);
    }
    return numbers;
  }
}
