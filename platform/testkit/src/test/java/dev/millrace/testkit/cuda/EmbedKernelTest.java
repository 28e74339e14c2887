package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EmbedKernelTest {
  private static final int[] TOKENS = {3, 0, 22, -1, 3, 11};

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.cuda.DeviceWeights#formats")
  void rowsAreThoseOfTheTable(DeviceFormat format) {
    for (int width : new int[] {1, 31, 33, 256, 257, 300}) {
      rows("f32", KvDtype.FLOAT32, format, new int[width], false, 0);
      rows("bf16", KvDtype.BFLOAT16, format, new int[width], false, 4e-3);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.cuda.DeviceWeights#formats")
  void columnsInAnotherOrderGoToTheirPlaces(DeviceFormat format) {
    for (int width : new int[] {1, 31, 257}) {
      int[] order = IntStream.range(0, width).map(i -> (7 * i + 3) % width).toArray();
      rows("f32", KvDtype.FLOAT32, format, order, true, 0);
      rows("bf16", KvDtype.BFLOAT16, format, order, true, 4e-3);
    }
  }

  private static void rows(
      String suffix,
      KvDtype type,
      DeviceFormat format,
      int[] order,
      boolean ordered,
      double tolerance) {
    int width = order.length;
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
        ordered ? DeviceArrays.of(order) : MemorySegment.NULL,
        out.address(),
        out.stride(),
        width);
    double[][] expected = new double[TOKENS.length][];
    for (int r = 0; r < TOKENS.length; r++) {
      double[] row = TOKENS[r] < 0 ? new double[width] : table.row(TOKENS[r]);
      expected[r] = new double[width];
      for (int i = 0; i < width; i++) {
        expected[r][ordered ? order[i] : i] = row[i];
      }
    }
    out.check(tolerance, expected);
  }
}
