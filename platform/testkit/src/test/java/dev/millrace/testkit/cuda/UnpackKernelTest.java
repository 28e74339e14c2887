package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UnpackKernelTest {
  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.cuda.DeviceWeights#formats")
  void weightsBecomeBf16(DeviceFormat format) {
    for (int columns : new int[] {1, 33, 257, 300}) {
      var weights = DeviceWeights.random(5, columns, format, new SplittableRandom(columns));
      var out = DeviceRows.dense(KvDtype.BFLOAT16, 5, columns);
      Kernels.launch(
          "unpack_" + weights.suffix(),
          Grid.of(5, Math.ceilDiv(columns, 256)),
          weights.data(),
          weights.scales(),
          weights.zeros(),
          weights.group(),
          out.address(),
          columns);
      double[][] expected = new double[5][];
      for (int r = 0; r < 5; r++) {
        expected[r] = weights.row(r);
      }
      out.check(4e-3, expected);
    }
  }
}
