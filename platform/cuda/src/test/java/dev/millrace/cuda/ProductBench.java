package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.cuda.KernelBench.Bench;
import java.lang.foreign.Arena;

/** Products with BF16 weights. */
record ProductBench(Bench bench) {
  private static final int[][] LLAMA = {{6144, 4096}, {4096, 4096}, {28672, 4096}, {4096, 14336}};
  private static final int[][] QWEN = {{4608, 3584}, {3584, 3584}, {37888, 3584}, {3584, 18944}};

  void run() {
    for (int[] shape : LLAMA) {
      for (int rows : new int[] {1, 2, 16, 64, 256, 2048}) {
        tensorCores(rows, shape[0], shape[1], false);
      }
    }
    for (int rows : new int[] {1, 32, 256}) {
      tensorCores(rows, 128_256, 4096, true);
    }
    for (int[] shape : QWEN) {
      for (int rows : new int[] {1, 64, 256}) {
        tensorCores(rows, shape[0], shape[1], false);
      }
    }
    for (int rows : new int[] {1, 16}) {
      plain(rows, 4096, 4096);
    }
  }

  private void tensorCores(int count, int realOuts, int realIns, boolean wide) {
    int rows = SuitePart.simulated() ? Math.min(count, 16) : count;
    int outs = Bench.size(realOuts);
    int ins = Bench.size(realIns);
    if (count <= 2) {
      String symbol = "multiply_few_" + (wide ? "wide_" : "") + count;
      measure(symbol, BenchLaunch.Grid.of(Math.ceilDiv(outs, 8), 1, 256), rows, outs, ins, wide);
    }
    for (var tile : TensorTile.values()) {
      if (suits(tile, count)) {
        int across = Math.ceilDiv(outs, tile.outs());
        var grid = BenchLaunch.Grid.of(across, Math.ceilDiv(rows, tile.rows()), tile.threads());
        measure(tile.symbol(wide), grid.shared(tile.sharedBytes()), rows, outs, ins, wide);
      }
    }
  }

  /** Not many times more blocks than rows need. */
  private static boolean suits(TensorTile tile, int rows) {
    return tile == TensorTile.FLAT ? rows <= 64 : rows > tile.rows() / 8;
  }

  private void measure(
      String symbol, BenchLaunch.Grid grid, int rows, int outs, int ins, boolean wide) {
    var region = bench.memory().bf16();
    long weightBytes = 2L * outs * ins;
    long outBytes = (wide ? 4L : 2L) * rows * outs;
    int sets = region.sets(weightBytes);
    long out = bench.memory().results(outBytes);
    long x = region.address(1, 1024);
    try (var arena = Arena.ofConfined()) {
      var launches = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        long weights = region.address(i, weightBytes);
        launches[i] =
            bench.launch(arena, symbol, grid, x, ins, weights, 0L, out, outs, rows, outs, ins);
      }
      launches[0].put(bench.timer().stream());
      check(symbol, out, rows, outs, ins, wide);
      double seconds = bench.timer().seconds(sets, (set, stream) -> launches[set].put(stream));
      double bytes = weightBytes + outBytes + 2.0 * rows * ins;
      String shape = "%d x %d x %d".formatted(rows, outs, ins);
      bench.report().add(symbol, shape, seconds, bytes, 2.0 * rows * outs * ins);
    }
  }

  /** A kernel that computes something else may be fast. */
  private void check(String symbol, long out, int rows, int outs, int ins, boolean wide) {
    for (int corner = 0; corner < 2; corner++) {
      int row = corner * (rows - 1);
      int column = corner * (outs - 1);
      double sum = 0;
      for (int i = 0; i < ins; i++) {
        sum +=
            (double) bench.memory().number(512 + (long) row * ins + i)
                * bench.memory().number((long) column * ins + i);
      }
      int size = wide ? 4 : 2;
      var bits = bench.memory().read(out + ((long) row * outs + column) * size, size);
      float is =
          wide ? bits.get(JAVA_FLOAT, 0) : Float.intBitsToFloat(bits.get(JAVA_SHORT, 0) << 16);
      if (!(Math.abs(is - sum) <= 0.01 * (Math.abs(sum) + Math.sqrt(ins)))) {
        throw new AssertionError(
            "%s: [%d][%d] is %s, not %s".formatted(symbol, row, column, is, sum));
      }
    }
  }

  private void plain(int rows, int realOuts, int realIns) {
    int outs = Bench.size(realOuts);
    int ins = Bench.size(realIns);
    var region = bench.memory().bf16();
    long bytes = 2L * outs * ins;
    int sets = region.sets(bytes);
    long out = bench.memory().results(2L * rows * outs);
    long x = region.address(1, 1024);
    var grid = BenchLaunch.Grid.of(Math.ceilDiv(outs, 4), Math.ceilDiv(rows, 8), 128);
    try (var arena = Arena.ofConfined()) {
      var launches = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        long weights = region.address(i, bytes);
        launches[i] =
            bench.launch(
                arena,
                "multiply_bf16_bf16",
                grid,
                x,
                ins,
                weights,
                0L,
                0L,
                0,
                0L,
                out,
                outs,
                rows,
                outs,
                ins);
      }
      launches[0].put(bench.timer().stream());
      check("multiply_bf16_bf16", out, rows, outs, ins, false);
      double seconds = bench.timer().seconds(sets, (set, stream) -> launches[set].put(stream));
      String shape = "%d x %d x %d".formatted(rows, outs, ins);
      bench
          .report()
          .add("multiply_bf16_bf16", shape, seconds, (double) bytes, 2.0 * rows * outs * ins);
    }
  }
}
