package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElementwiseKernelTest {
  private static final int ROWS = 3;

  private final RandomGenerator random = new SplittableRandom(3);

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 255, 256, 257, 700})
  void sumsProductsAndCaps(int width) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      adds(type, width);
      maps(type, width, "scale", 0.3f, x -> x * 0.3f);
      maps(type, width, "soft_cap", 1.5f, x -> 1.5 * Math.tanh(x / 1.5));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void activations(int f) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      for (int width : new int[] {1, 33, 256, 515}) {
        var x = DeviceRows.empty(type, ROWS, width).random(random);
        var out = DeviceRows.empty(type, ROWS, width);
        Kernels.launch(
            "activate_" + suffix(type),
            grid(width),
            f,
            x.address(),
            x.stride(),
            out.address(),
            out.stride(),
            width);
        check(type, out, (r, i) -> activated(f, x.row(r)[i]));
        gates(type, f, width, Math.ceilDiv(width, 256), DeviceRows::empty);
      }
    }
  }

  /** In runs of sixteen bytes, and where rows, or only their widths, do not consist of such. */
  @ParameterizedTest
  @ValueSource(ints = {4, 8, 12, 512, 2056, 4104})
  void fewBlocksGateLongRows(int width) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      for (int blocks = 1; blocks <= 2; blocks++) {
        gates(type, 0, width, blocks, DeviceRows::aligned);
        gates(type, 0, width, blocks, DeviceRows::empty);
      }
    }
  }

  private interface Layout {
    DeviceRows rows(KvDtype type, int rows, int width);
  }

  private void gates(KvDtype type, int f, int width, int blocks, Layout layout) {
    var gateUp = layout.rows(type, ROWS, 2 * width).random(random);
    var out = layout.rows(type, ROWS, width);
    Kernels.launch(
        "gate_" + suffix(type),
        Grid.of(ROWS, blocks),
        f,
        gateUp.address(),
        gateUp.stride(),
        out.address(),
        out.stride(),
        width);
    double[][] in = new double[ROWS][];
    Arrays.setAll(in, gateUp::row);
    check(type, out, (r, i) -> activated(f, in[r][i]) * in[r][width + i]);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 256, 301})
  void conversions(int width) {
    var narrow = DeviceRows.empty(KvDtype.BFLOAT16, ROWS, width).random(random);
    var wide = DeviceRows.empty(KvDtype.FLOAT32, ROWS, width);
    convert("widen_bf16", narrow, wide, width);
    wide.check(0, rows(width, (r, i) -> narrow.row(r)[i]));
    wide.random(random);
    var again = DeviceRows.empty(KvDtype.BFLOAT16, ROWS, width);
    convert("narrow_bf16", wide, again, width);
    var expected = DeviceRows.empty(KvDtype.BFLOAT16, ROWS, width);
    for (int r = 0; r < ROWS; r++) {
      double[] row = wide.row(r);
      expected.fill(r, i -> row[i]);
    }
    again.check(0, rows(width, (r, i) -> expected.row(r)[i]));
  }

  private static void convert(String kernel, DeviceRows from, DeviceRows to, int width) {
    Kernels.launch(
        kernel, grid(width), from.address(), from.stride(), to.address(), to.stride(), width);
  }

  private void adds(KvDtype type, int width) {
    var a = DeviceRows.empty(type, ROWS, width).random(random);
    var b = DeviceRows.empty(type, ROWS, width).random(random);
    var out = DeviceRows.empty(type, ROWS, width);
    Kernels.launch(
        "add_" + suffix(type),
        grid(width),
        a.address(),
        a.stride(),
        b.address(),
        b.stride(),
        out.address(),
        out.stride(),
        width);
    check(type, out, (r, i) -> a.row(r)[i] + b.row(r)[i]);
  }

  private void maps(KvDtype type, int width, String name, float by, DoubleUnaryOperator f) {
    var x = DeviceRows.empty(type, ROWS, width).random(random);
    var out = DeviceRows.empty(type, ROWS, width);
    Kernels.launch(
        name + "_" + suffix(type),
        grid(width),
        x.address(),
        x.stride(),
        out.address(),
        out.stride(),
        width,
        by);
    check(type, out, (r, i) -> f.applyAsDouble(x.row(r)[i]));
  }

  private interface At {
    double value(int row, int column);
  }

  private static double[][] rows(int width, At at) {
    double[][] out = new double[ROWS][width];
    for (int r = 0; r < ROWS; r++) {
      for (int i = 0; i < width; i++) {
        out[r][i] = at.value(r, i);
      }
    }
    return out;
  }

  private static void check(KvDtype type, DeviceRows out, At at) {
    int width = out.row(0).length;
    out.check(type == KvDtype.FLOAT32 ? 3e-7 : 4e-3, rows(width, at));
  }

  private static double activated(int f, double x) {
    return switch (f) {
      case 0 -> x / (1 + Math.exp(-x));
      case 1 -> x * Gauss.cumulative(x);
      case 2 -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      default -> Math.max(x, 0);
    };
  }

  private static String suffix(KvDtype type) {
    return type == KvDtype.FLOAT32 ? "f32" : "bf16";
  }

  private static Grid grid(int width) {
    return Grid.of(ROWS, Math.ceilDiv(width, 256));
  }
}
