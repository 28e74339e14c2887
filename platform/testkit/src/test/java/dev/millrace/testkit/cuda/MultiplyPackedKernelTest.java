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

  /** Rows, outputs, inputs, tiles of 128 inputs in a part, rows of a tile, early copies. */
  private record Problem(int rows, int outs, int ins, int tilesPerPart, int tall, boolean early) {}

  private static final List<Problem> PROBLEMS =
      List.of(
          new Problem(1, 1, 8, 1, 16, false),
          new Problem(5, 130, 904, 8, 16, false),
          new Problem(17, 40, 904, 8, 64, true),
          new Problem(65, 33, 904, 3, 64, false),
          new Problem(18, 70, 520, 2, 16, true));

  static List<DeviceFormat> formats() {
    var formats = new ArrayList<DeviceFormat>();
    formats.add(new DeviceFormat.Int8(0));
    formats.add(new DeviceFormat.Int8(16));
    formats.add(new DeviceFormat.Int8(32));
    for (int group : new int[] {16, 32, 64, 128}) {
      formats.add(new DeviceFormat.Int4(group, false));
      formats.add(new DeviceFormat.Int4(group, true));
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
      // rows of INT8 begin at multiples of 16 bytes
      int ins = format instanceof DeviceFormat.Int8 ? problem.ins + 8 : problem.ins;
      var weights = DeviceWeights.random(problem.outs, ins, format, random);
      var x = DeviceRows.aligned(KvDtype.BFLOAT16, problem.rows, ins).random(random);
      float[] bias = new float[problem.outs];
      for (int i = 0; i < bias.length; i++) {
        bias[i] = (float) random.nextGaussian();
      }
      Kernels.copyEarly(problem.early);
      var wide = run(problem.tall, KvDtype.FLOAT32, weights, x, bias, problem.tilesPerPart);
      wide.check(1.05e-6, weights.product(x, bias));
    }
  }

  @Test
  void withoutBiasToBf16() {
    var weights = DeviceWeights.random(300, 136, new DeviceFormat.Int4(32, false), random);
    var x = DeviceRows.aligned(KvDtype.BFLOAT16, 3, 136).random(random);
    var out = run(16, KvDtype.BFLOAT16, weights, x, new float[0], 1);
    out.check(4e-3, weights.product(x, new float[0]));
  }

  @Test
  void aRowIsTheSameBitsAmongOthersAsAlone() {
    var weights = DeviceWeights.random(33, 520, new DeviceFormat.Int4(64, true), random);
    var all = DeviceRows.aligned(KvDtype.BFLOAT16, 19, 520).random(random);
    var together = run(64, KvDtype.FLOAT32, weights, all, new float[0], 2);
    for (int r = 0; r < all.rows(); r++) {
      var one = DeviceRows.aligned(KvDtype.BFLOAT16, 1, 520);
      double[] row = all.row(r);
      one.fill(0, i -> row[i]);
      var alone = run(16, KvDtype.FLOAT32, weights, one, new float[0], 2);
      assertArrayEquals(alone.row(0), together.row(r));
    }
  }

  private static DeviceRows run(
      int tall, KvDtype to, DeviceWeights weights, DeviceRows x, float[] bias, int tilesPerPart) {
    int outs = weights.matrix().rows();
    int ins = weights.matrix().cols();
    int count = Math.ceilDiv(Math.ceilDiv(ins, 128), tilesPerPart);
    var parts = DeviceRows.dense(KvDtype.FLOAT32, count * x.rows(), outs);
    int bytes = weights.suffix().equals("int4") ? 64 : 128;
    var grid =
        new Grid(
            Math.ceilDiv(outs, 128),
            Math.ceilDiv(x.rows(), tall),
            count,
            128,
            3 * (tall * 256L + 128L * bytes));
    Kernels.launch(
        "multiply_packed_" + weights.suffix() + "_" + tall,
        grid,
        x.address(),
        x.stride(),
        weights.data(),
        weights.scales(),
        weights.zeros(),
        weights.group(),
        x.rows(),
        outs,
        ins,
        tilesPerPart,
        parts.address());
    parts.requireGuards();
    var out = DeviceRows.empty(to, x.rows(), outs);
    Kernels.launch(
        to == KvDtype.FLOAT32 ? "add_parts_wide" : "add_parts_bf16",
        Grid.of(x.rows(), Math.ceilDiv(outs, 256)),
        parts.address(),
        count,
        bias.length == 0 ? MemorySegment.NULL : DeviceArrays.of(bias),
        out.address(),
        out.stride(),
        x.rows(),
        outs);
    return out;
  }
}
