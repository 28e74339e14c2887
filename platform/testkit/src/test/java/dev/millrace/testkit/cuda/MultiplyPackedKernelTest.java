package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MultiplyPackedKernelTest {
  private final RandomGenerator random = new SplittableRandom(29);

  /** Rows, outputs, inputs, inputs in a part, rows of a tile, early copies. */
  private record Problem(int rows, int outs, int ins, int partColumns, int tall, boolean early) {}

  private static final List<Problem> PROBLEMS =
      List.of(
          new Problem(1, 1, 8, 256, 8, false),
          new Problem(5, 130, 1416, 1536, 8, true),
          new Problem(5, 70, 1416, 1536, 16, false),
          new Problem(1, 80, 1416, 1536, 16, false), // codes end where nobody may read
          new Problem(17, 40, 904, 1024, 32, true),
          new Problem(65, 133, 904, 512, 32, false),
          new Problem(11, 70, 1288, 512, 8, true),
          new Problem(18, 70, 1288, 256, 16, true));

  static List<DeviceFormat> formats() {
    var formats = new ArrayList<DeviceFormat>();
    for (int group : new int[] {0, 16, 32}) {
      formats.add(new DeviceFormat.Int8(group, false));
      formats.add(new DeviceFormat.Int8(group, true));
      formats.add(new DeviceFormat.Fp8(3, group));
    }
    formats.add(new DeviceFormat.Fp8(128, 128));
    for (int group : new int[] {16, 32, 64, 128}) {
      formats.add(new DeviceFormat.Int4(group, false));
      formats.add(new DeviceFormat.Int4(group, true));
      formats.add(new DeviceFormat.Code4(group));
    }
    return formats;
  }

  @AfterEach
  void late() {
    Kernels.copyEarly(false);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void multipliesAsTheFormatDecodes(DeviceFormat format) {
    for (var problem : PROBLEMS) {
      // rows of bytes begin at multiples of 16
      int ins =
          switch (format) {
            case DeviceFormat.Int4 _, DeviceFormat.Code4 _ -> problem.ins;
            default -> problem.ins + 8;
          };
      var weights = DeviceWeights.random(problem.outs, ins, format, random);
      var x = DeviceRows.aligned(KvDtype.BFLOAT16, problem.rows, ins).random(random);
      float[] bias = new float[problem.outs];
      for (int i = 0; i < bias.length; i++) {
        bias[i] = (float) random.nextGaussian();
      }
      Kernels.copyEarly(problem.early);
      var wide = run(problem.tall, KvDtype.FLOAT32, weights, x, bias, problem.partColumns);
      wide.check(2.6e-6, weights.product(x, bias));
    }
  }

  @Test
  void withoutBiasToBf16() {
    var weights = DeviceWeights.random(300, 136, new DeviceFormat.Int4(32, false), random);
    var x = DeviceRows.aligned(KvDtype.BFLOAT16, 3, 136).random(random);
    var out = run(16, KvDtype.BFLOAT16, weights, x, new float[0], 256);
    out.check(4e-3, weights.product(x, new float[0]));
  }

  @Test
  void aRowIsTheSameBitsAmongOthersAsAlone() {
    var weights = DeviceWeights.random(33, 520, new DeviceFormat.Int4(64, true), random);
    var all = DeviceRows.aligned(KvDtype.BFLOAT16, 19, 520).random(random);
    var together = run(32, KvDtype.FLOAT32, weights, all, new float[0], 512);
    for (int r = 0; r < all.rows(); r++) {
      var one = DeviceRows.aligned(KvDtype.BFLOAT16, 1, 520);
      double[] row = all.row(r);
      one.fill(0, i -> row[i]);
      for (int tall : new int[] {8, 16}) {
        var alone = run(tall, KvDtype.FLOAT32, weights, one, new float[0], 512);
        assertArrayEquals(alone.row(0), together.row(r));
      }
    }
  }

  private static DeviceRows run(
      int tall, KvDtype to, DeviceWeights weights, DeviceRows x, float[] bias, int partColumns) {
    int features = tall == 32 ? 128 : 64;
    int tile = weights.suffix().matches("int4|code4") ? 256 : 128;
    int stages = tall == 32 ? 2 : 4;
    int outs = weights.matrix().rows();
    int ins = weights.matrix().cols();
    int across = Math.ceilDiv(x.rows(), tall);
    int down = Math.ceilDiv(outs, features);
    int count = Math.ceilDiv(ins, partColumns);
    long shared = stages * (tall * (2L * tile + 32) + features * 144L);
    var parts = DeviceRows.dense(KvDtype.FLOAT32, count * across * tall, down * features);
    var partsAt = count == 1 ? MemorySegment.NULL : parts.address();
    var out = DeviceRows.empty(to, x.rows(), outs);
    Kernels.launch(
        "multiply_packed_" + weights.suffix() + "_" + tall,
        new Grid(across, down, count, 256, shared),
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
        ins,
        partColumns,
        partsAt);
    parts.requireGuards();
    return out;
  }
}
