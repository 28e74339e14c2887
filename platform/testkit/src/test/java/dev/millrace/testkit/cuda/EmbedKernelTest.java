package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EmbedKernelTest {
  private static final int[] TOKENS = {3, 0, 22, -1, 3, 11};

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.cuda.DeviceWeights#formats")
  void rowsAreThoseOfTheTable(DeviceFormat format) {
    for (int width : new int[] {1, 31, 33, 256, 257, 300}) {
      rows("f32", KvDtype.FLOAT32, format, width, 0);
      rows("bf16", KvDtype.BFLOAT16, format, width, 4e-3);
    }
  }

  private static void rows(
      String suffix, KvDtype type, DeviceFormat format, int width, double tolerance) {
    var table = DeviceWeights.random(23, width, format, new SplittableRandom(width));
    var out = DeviceRows.empty(type, TOKENS.length, width);
    Kernels.launch(
        "embed_" + suffix + "_" + table.suffix(),
        Grid.of(TOKENS.length),
        DeviceArrays.of(TOKENS),
        table.data(),
        table.scales(),
        table.zeros(),
        table.group(),
        out.address(),
        out.stride(),
        width);
    double[][] expected = new double[TOKENS.length][];
    for (int r = 0; r < TOKENS.length; r++) {
      expected[r] = TOKENS[r] < 0 ? new double[width] : table.row(TOKENS[r]);
    }
    out.check(tolerance, expected);
  }
}
