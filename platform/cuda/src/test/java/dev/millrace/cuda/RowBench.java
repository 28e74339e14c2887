package dev.millrace.cuda;

import dev.millrace.cuda.BenchLaunch.Grid;
import dev.millrace.cuda.KernelBench.Bench;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.function.IntFunction;

/** Norms, activations, embeddings and sampling. */
record RowBench(Bench bench) {
  /** Temperature, top-p, min-p, top-k. */
  private record Cuts(String name, float topP, int topK) {}

  void run() {
    int width = Bench.size(4096);
    int inner = Bench.size(14336);
    int vocabulary = Bench.size(128_256);
    for (int rows : SuitePart.simulated() ? new int[] {2} : new int[] {1, 256}) {
      norms(rows, width);
      gate(rows, inner);
      embed(rows, width, vocabulary);
    }
    for (int rows : SuitePart.simulated() ? new int[] {2} : new int[] {32, 256}) {
      argmax(rows, vocabulary);
      sample(rows, vocabulary, new Cuts("no cut", 1, 0));
      sample(rows, vocabulary, new Cuts("top-p 0.95", 0.95f, 0));
      sample(rows, vocabulary, new Cuts("top-k 50, top-p 0.95", 0.95f, 50));
    }
  }

  /** Arguments for each set of inputs. */
  private void measure(
      String symbol, String shape, Grid grid, int sets, double bytes, IntFunction<Object[]> of) {
    try (var arena = Arena.ofConfined()) {
      var launches = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        launches[i] = bench.launch(arena, symbol, grid, of.apply(i));
      }
      double seconds = bench.timer().seconds(sets, (set, stream) -> launches[set].put(stream));
      bench.report().add(symbol, shape, seconds, bytes, 0);
    }
  }

  private void norms(int rows, int width) {
    var memory = bench.memory();
    long bytes = 2L * rows * width;
    long out = memory.results(bytes);
    long weight = memory.f32().address(0, 1);
    var grid = Grid.of(rows, 1, 256);
    String shape = rows + " x " + width;
    int sets = memory.bf16().sets(bytes);
    measure(
        "norm_bf16",
        shape,
        grid,
        sets,
        2.0 * bytes,
        set ->
            new Object[] {
              memory.bf16().address(set, bytes), width, out, width, width, weight, 0L, 1e-5f, 0
            });
    bench.requireWritten("norm_bf16", out, (long) rows * width, false);
    long residual = memory.room(bytes);
    measure(
        "add_norm_bf16",
        shape,
        grid,
        sets,
        4.0 * bytes,
        set ->
            new Object[] {
              residual,
              width,
              memory.bf16().address(set, bytes),
              width,
              out,
              width,
              width,
              weight,
              0L,
              1e-5f,
              0
            });
  }

  private void gate(int rows, int width) {
    var memory = bench.memory();
    long bytes = 4L * rows * width;
    long out = memory.results(bytes / 2);
    measure(
        "gate_bf16",
        rows + " x " + width,
        Grid.of(rows, Math.ceilDiv(width, 8 * 256), 256),
        memory.bf16().sets(bytes),
        1.5 * bytes,
        set -> new Object[] {0, memory.bf16().address(set, bytes), 2 * width, out, width, width});
    bench.requireWritten("gate_bf16", out, (long) rows * width, false);
  }

  private void embed(int rows, int width, int vocabulary) {
    var memory = bench.memory();
    long table = memory.bf16().address(0, 1);
    long out = memory.results(2L * rows * width);
    var random = new SplittableRandom(3);
    measure(
        "embed_bf16_bf16",
        rows + " x " + width,
        Grid.of(rows, 1, 256),
        9,
        4.0 * rows * width,
        _ ->
            new Object[] {
              memory.integers(random.ints(rows, 0, vocabulary).toArray()),
              table,
              0L,
              0L,
              0,
              0L,
              out,
              width,
              width
            });
    bench.requireWritten("embed_bf16_bf16", out, (long) rows * width, false);
  }

  private void argmax(int rows, int vocabulary) {
    var memory = bench.memory();
    long bytes = 4L * rows * vocabulary;
    long tokens = memory.results(4L * rows);
    measure(
        "argmax_f32",
        rows + " x " + vocabulary,
        Grid.of(rows, 1, 1024),
        memory.f32().sets(bytes),
        (double) bytes,
        set -> new Object[] {memory.f32().address(set, bytes), vocabulary, vocabulary, tokens});
  }

  private void sample(int rows, int vocabulary, Cuts cuts) {
    var memory = bench.memory();
    long bytes = 4L * rows * vocabulary;
    long tokens = memory.results(4L * rows);
    int[] settings = new int[8 * rows];
    for (int r = 0; r < rows; r++) {
      settings[8 * r] = Float.floatToIntBits(0.8f);
      settings[8 * r + 1] = Float.floatToIntBits(cuts.topP);
      settings[8 * r + 3] = cuts.topK;
      settings[8 * r + 4] = r; // the seed
    }
    long there = memory.integers(settings);
    measure(
        "sample_f32",
        rows + " x " + vocabulary + ", " + cuts.name,
        Grid.of(rows, 1, 512),
        memory.f32().sets(bytes),
        (double) bytes,
        set ->
            new Object[] {memory.f32().address(set, bytes), vocabulary, vocabulary, there, tokens});
  }
}
