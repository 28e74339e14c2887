package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NormKernelTest {
  private static final int ROWS = 5;
  private static final float EPS = 1e-3f;

  private final RandomGenerator random = new SplittableRandom(5);

  @ParameterizedTest
  @CsvSource({
    "1, 1", "3, 1", "31, 1", "32, 1", "33, 1", "255, 1", "257, 1", "1100, 1", "9, 3", "65, 5"
  })
  void eachRunIsNormalised(int width, int runs) {
    for (int layer = 0; layer < 2; layer++) {
      normalises("f32", KvDtype.FLOAT32, width, runs, layer, DeviceRows::empty);
      normalises("bf16", KvDtype.BFLOAT16, width, runs, layer, DeviceRows::empty);
    }
  }

  /**
   * What threads hold in registers: less than one run each, some, as many as they can, and more.
   */
  @ParameterizedTest
  @CsvSource({
    "8, 1", "8, 3", "64, 5", "1032, 1", "2048, 2", "3080, 1", "4096, 1", "4104, 1", "8192, 1",
    "8200, 1"
  })
  void eachRunIsNormalisedInRegisters(int width, int runs) {
    for (int layer = 0; layer < 2; layer++) {
      normalises("f32", KvDtype.FLOAT32, width, runs, layer, DeviceRows::aligned);
      normalises("bf16", KvDtype.BFLOAT16, width, runs, layer, DeviceRows::aligned);
    }
  }

  /** In widths with which the last row ends where a page does. */
  @ParameterizedTest
  @ValueSource(ints = {128, 1024, 3072, 8320})
  void nothingIsReadBehindTheLastRow(int width) {
    normalises("f32", KvDtype.FLOAT32, width, 1, 0, DeviceRows::last);
    normalises("bf16", KvDtype.BFLOAT16, width, 1, 0, DeviceRows::last);
    adds("f32", KvDtype.FLOAT32, width, 0, DeviceRows::last);
    adds("bf16", KvDtype.BFLOAT16, width, 0, DeviceRows::last);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 33, 256, 600})
  void theSumStaysInTheResidual(int width) {
    for (int layer = 0; layer < 2; layer++) {
      adds("f32", KvDtype.FLOAT32, width, layer, DeviceRows::empty);
      adds("bf16", KvDtype.BFLOAT16, width, layer, DeviceRows::empty);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 1032, 3080, 4096, 4104, 8192, 8200})
  void theSumStaysInTheResidualFromRegisters(int width) {
    for (int layer = 0; layer < 2; layer++) {
      adds("f32", KvDtype.FLOAT32, width, layer, DeviceRows::aligned);
      adds("bf16", KvDtype.BFLOAT16, width, layer, DeviceRows::aligned);
    }
  }

  private interface Layout {
    DeviceRows rows(KvDtype type, int rows, int width);
  }

  private static double tolerance(KvDtype type) {
    return type == KvDtype.FLOAT32 ? 3.6e-7 : 4e-3;
  }

  private void normalises(
      String suffix, KvDtype type, int width, int runs, int layer, Layout layout) {
    var x = layout.rows(type, ROWS, width * runs).random(random);
    var out = layout.rows(type, ROWS, width * runs);
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
    out.check(tolerance(type), expected);
  }

  private void adds(String suffix, KvDtype type, int width, int layer, Layout layout) {
    var residual = layout.rows(type, ROWS, width).random(random);
    var x = layout.rows(type, ROWS, width).random(random);
    var out = layout.rows(type, ROWS, width);
    float[] weight = numbers(width);
    double[][] sum = new double[ROWS][width];
    for (int r = 0; r < ROWS; r++) {
      double[] before = residual.row(r);
      double[] added = x.row(r);
      Arrays.setAll(sum[r], i -> before[i] + added[i]);
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
    residual.check(tolerance(type), sum);
    double[][] expected = new double[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      expected[r] = normalised(residual.row(r), width, weight, new float[0], layer);
    }
    out.check(tolerance(type), expected);
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
