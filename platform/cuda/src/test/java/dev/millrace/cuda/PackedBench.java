package dev.millrace.cuda;

import dev.millrace.cuda.BenchLaunch.Grid;
import dev.millrace.cuda.KernelBench.Bench;
import java.lang.foreign.Arena;

/** Products with INT4 weights in groups of 128, with the sum of their parts. */
record PackedBench(Bench bench) {
  private static final int GROUP = 128;
  private static final int[][] SHAPES = {{6144, 4096}, {4096, 4096}, {28672, 4096}, {4096, 14336}};

  void run() {
    for (int[] shape : SHAPES) {
      for (int rows : new int[] {1, 16, 32, 64}) {
        for (int tiles : new int[] {4, 8, 16, 32}) {
          measure(rows, Bench.size(shape[0]), Bench.size(shape[1]), tiles);
        }
      }
    }
  }

  private void measure(int rows, int outs, int ins, int tilesPerPart) {
    int tall = rows <= 16 ? 16 : 64;
    int count = Math.ceilDiv(Math.ceilDiv(ins, 128), tilesPerPart);
    long codeBytes = (long) outs * ins / 2;
    long scaleBytes = 4L * outs * Math.ceilDiv(ins, GROUP);
    long partBytes = BenchMemory.Region.aligned(4L * count * rows * outs);
    var memory = bench.memory();
    int sets = memory.codes().sets(codeBytes);
    long parts = memory.results(partBytes + 2L * rows * outs);
    long out = parts + partBytes;
    var grid =
        new Grid(
            Math.ceilDiv(outs, 128), Math.ceilDiv(rows, tall), count, 128, 3 * (tall * 256 + 8192));
    String symbol = "multiply_packed_int4_" + tall;
    long x = memory.bf16().address(0, 1);
    try (var arena = Arena.ofConfined()) {
      var launches = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        long codes = memory.codes().address(i, codeBytes);
        long scales = memory.f32().address(i, scaleBytes);
        launches[i] =
            bench.launch(
                arena,
                symbol,
                grid,
                x,
                ins,
                codes,
                scales,
                0L,
                GROUP,
                rows,
                outs,
                ins,
                tilesPerPart,
                parts);
      }
      var sum = sum(arena, parts, count, out, rows, outs);
      double seconds =
          bench
              .timer()
              .seconds(
                  sets,
                  (set, stream) -> {
                    launches[set].put(stream);
                    sum.put(stream);
                  });
      bench.requireWritten(symbol, out, (long) rows * outs, false);
      String shape = "%d x %d x %d, %d tiles a part".formatted(rows, outs, ins, tilesPerPart);
      double bytes = codeBytes + scaleBytes + 2.0 * rows * (outs + ins);
      bench.report().add(symbol, shape, seconds, bytes, 2.0 * rows * outs * ins);
    }
  }

  private BenchLaunch sum(Arena arena, long parts, int count, long out, int rows, int outs) {
    var grid = Grid.of(rows, Math.ceilDiv(outs, 256), 256);
    return bench.launch(arena, "add_parts_bf16", grid, parts, count, 0L, out, outs, rows, outs);
  }
}
