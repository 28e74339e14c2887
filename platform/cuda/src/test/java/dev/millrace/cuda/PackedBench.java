package dev.millrace.cuda;

import dev.millrace.cuda.BenchLaunch.Grid;
import dev.millrace.cuda.KernelBench.Bench;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** Products with codes, of few rows. */
record PackedBench(Bench bench) {
  /** Of an H200. */
  private static final int MULTIPROCESSORS = 132;

  private static final int[][] SHAPES = {{6144, 4096}, {4096, 4096}, {28672, 4096}, {4096, 14336}};

  /** A matrix, and of how many parts each row of its product is the sum. */
  private record Problem(String format, int group, int outs, int ins, int partColumns) {
    int parts() {
      return Math.ceilDiv(ins, partColumns);
    }

    long codeBytes() {
      return (long) outs * ins / (format.equals("int4") ? 2 : 1);
    }

    long scaleBytes() {
      return 4L * outs * Math.ceilDiv(ins, group == 0 ? ins : group);
    }
  }

  void run() {
    for (int[] shape : SHAPES) {
      int outs = Bench.size(shape[0]);
      int ins = Bench.size(shape[1]) / 32 * 32;
      for (int rows : new int[] {1, 8, 16, 32, 64}) {
        measure(rows, "int4", 128, outs, ins);
        measure(rows, "int4", 32, outs, ins);
        measure(rows, "int8", 0, outs, ins);
      }
      for (int rows : new int[] {1, 2, 4, 8, 16}) {
        few(rows, new Problem("int4", 128, outs, ins, ins));
        few(rows, new Problem("int8", 0, outs, ins, ins));
      }
      for (int parts : new int[] {1, 2, 4, 8}) {
        int columns = Math.ceilDiv(Math.ceilDiv(ins, parts), 256) * 256;
        measure(1, new Problem("int4", 128, outs, ins, columns));
        measure(32, new Problem("int4", 128, outs, ins, columns));
      }
    }
  }

  private void measure(int rows, String format, int group, int outs, int ins) {
    var plan = ProductPlan.of(format, group, outs, ins);
    measure(rows, new Problem(format, group, outs, ins, plan.partColumns()));
  }

  private void measure(int rows, Problem problem) {
    int outs = problem.outs;
    var tile = PackedTile.of(problem.format, rows <= 8 ? 8 : rows <= 16 ? 16 : 32);
    var grid =
        new Grid(
            Math.ceilDiv(rows, tile.rows()),
            Math.ceilDiv(outs, tile.features()),
            problem.parts(),
            PackedTile.THREADS,
            tile.sharedBytes());
    long outBytes = BenchMemory.Region.aligned(2L * rows * outs);
    long partBytes =
        4L * problem.parts() * PackedTile.paddedRows(rows) * (Math.ceilDiv(outs, 128) * 128L);
    long out = bench.memory().results(outBytes + partBytes);
    measure(tile.symbol(), grid, rows, problem, out, problem.partColumns, out + outBytes);
  }

  /** By the kernel for very few rows, two blocks a multiprocessor. */
  private void few(int rows, Problem problem) {
    var grid = Grid.of(Math.min(2 * MULTIPROCESSORS, Math.ceilDiv(problem.outs, 16)), 1, 256);
    long out = bench.memory().results(2L * rows * problem.outs);
    measure(
        "multiply_few_" + problem.format + (rows > 8 ? "_16" : "_8"), grid, rows, problem, out, -1);
  }

  /** {@code rest} are a kernel's last arguments, after those that all have. */
  private void measure(
      String symbol, Grid grid, int rows, Problem problem, long out, Object... rest) {
    var memory = bench.memory();
    int sets = memory.codes().sets(problem.codeBytes());
    try (var arena = Arena.ofConfined()) {
      var launches = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        var arguments = new ArrayList<Object>();
        arguments.addAll(List.of(memory.bf16().address(0, 1), problem.ins));
        arguments.add(memory.codes().address(i, problem.codeBytes()));
        arguments.add(memory.f32().address(i, problem.scaleBytes()));
        arguments.addAll(List.of(0L, problem.group, 0L, out, problem.outs, 0));
        arguments.addAll(List.of(rows, problem.outs, problem.ins));
        arguments.addAll(List.of(rest));
        launches[i] = bench.launch(arena, symbol, grid, arguments.toArray());
      }
      double seconds = bench.timer().seconds(sets, (set, stream) -> launches[set].put(stream));
      bench.requireWritten(symbol, out, (long) rows * problem.outs, false);
      report(symbol, rows, problem, seconds);
    }
  }

  private void report(String symbol, int rows, Problem problem, double seconds) {
    int outs = problem.outs;
    int ins = problem.ins;
    String shape =
        "%d x %d x %d, group %d, %d parts, %.0f GB/s of codes"
            .formatted(
                rows,
                outs,
                ins,
                problem.group,
                problem.parts(),
                problem.codeBytes() / seconds / 1e9);
    double bytes = problem.codeBytes() + problem.scaleBytes() + 2.0 * rows * (outs + ins);
    bench.report().add(symbol, shape, seconds, bytes, 2.0 * rows * outs * ins);
  }
}
