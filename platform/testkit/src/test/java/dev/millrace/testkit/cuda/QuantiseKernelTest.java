package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantiseKernelTest {
  private static final int ROWS = 4;

  private final RandomGenerator random = new SplittableRandom(47);

  @ParameterizedTest
  @CsvSource({"1, int8", "255, int8", "259, int8", "700, int8", "1, fp8", "258, fp8", "700, fp8"})
  void codesTimesScalesAreTheNumbers(int width, String kind) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      var x = DeviceRows.empty(type, ROWS, width + 1);
      for (int r = 0; r < ROWS; r++) {
        int zeros = r == 2 ? 0 : 1;
        x.fill(r, i -> i < width ? zeros * random.nextGaussian() : 1e6); // no part of the row
      }
      int stride = width + 5;
      var codes = Kernels.allocate((long) ROWS * stride).fill((byte) -128);
      var scales = DeviceArrays.of(new float[ROWS]);
      Kernels.launch(
          "quantise_" + CacheTypes.suffix(type) + "_" + kind,
          Grid.of(ROWS),
          x.address(),
          x.stride(),
          codes,
          stride,
          scales,
          width);
      for (int r = 0; r < ROWS; r++) {
        double[] row = Arrays.copyOf(x.row(r), width);
        double largest = Arrays.stream(row).map(Math::abs).max().orElseThrow();
        double scale = scales.getAtIndex(JAVA_FLOAT, r);
        assertEquals(largest / (kind.equals("int8") ? 127 : 448), scale, 1e-7 * largest);
        for (int i = 0; i < width; i++) {
          double code = code(codes, (long) r * stride + i, kind);
          // half a step: of INT8 the scale, of FP8 a sixteenth of the number
          double step = kind.equals("int8") ? scale : Math.max(Math.abs(row[i]) / 8, scale / 256);
          assertEquals(row[i], code * scale, 0.501 * step, "[" + r + "][" + i + "]");
        }
        for (int i = width; i < stride; i++) {
          assertEquals(-128, codes.get(JAVA_BYTE, (long) r * stride + i));
        }
      }
    }
  }

  private static double code(MemorySegment codes, long at, String kind) {
    if (kind.equals("int8")) {
      return codes.get(JAVA_BYTE, at);
    }
    float[] out = new float[1];
    KvDtype.FP8_E4M3.decode(codes, at, out, 1);
    return out[0];
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 256, 300})
  void sumsAreScaledBack(int outs) {
    int[] sums = random.ints((long) ROWS * outs, -1 << 20, 1 << 20).toArray();
    float[] rowScales = {1e-3f, 0, 2e-4f, 1e-5f};
    float[] scales = new float[outs];
    float[] bias = new float[outs];
    for (int i = 0; i < outs; i++) {
      scales[i] = (float) random.nextDouble(0.001, 0.01);
      bias[i] = (float) random.nextGaussian();
    }
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      boolean biased = type == KvDtype.FLOAT32;
      var out = DeviceRows.empty(type, ROWS, outs);
      Kernels.launch(
          "rescale_" + CacheTypes.suffix(type),
          Grid.of(ROWS, Math.ceilDiv(outs, 256)),
          DeviceArrays.of(sums),
          DeviceArrays.of(rowScales),
          DeviceArrays.of(scales),
          biased ? DeviceArrays.of(bias) : MemorySegment.NULL,
          out.address(),
          out.stride(),
          outs);
      double[][] expected = new double[ROWS][outs];
      for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < outs; i++) {
          double y = (double) sums[r * outs + i] * rowScales[r] * scales[i];
          expected[r][i] = biased ? y + bias[i] : y;
        }
      }
      out.check(biased ? 3e-7 : 4e-3, expected);
    }
  }
}
