package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;

/**
 * How fast the kernels are at the shapes of Llama-3.1-8B and Qwen2.5-7B (on the simulation, at toy
 * ones), with random inputs that no cache holds; and what launches cost the host.
 */
record KernelBench(SuiteRecord record) {
  private static final int COPIES = 10;

  /** What each group of measurements needs. */
  record Bench(
      KernelModules kernels,
      BenchTimer timer,
      BenchMemory memory,
      BenchReport report,
      int multiprocessors) {
    BenchLaunch launch(Arena arena, String symbol, BenchLaunch.Grid grid, Object... arguments) {
      return BenchLaunch.of(kernels, arena, symbol, grid, arguments);
    }

    /** A kernel that writes nothing may be fast. */
    void requireWritten(String symbol, long out, long numbers, boolean wide) {
      int size = wide ? 4 : 2;
      for (long at : new long[] {0, numbers / 2, numbers - 1}) {
        var bits = memory.read(out + at * size, size);
        float is =
            wide ? bits.get(JAVA_FLOAT, 0) : Float.intBitsToFloat(bits.get(JAVA_SHORT, 0) << 16);
        if (Float.isNaN(is)) {
          throw new AssertionError(symbol + " has not written number " + at);
        }
      }
    }

    /** A size of a model, or of a toy. */
    static int size(int real) {
      return SuitePart.simulated() ? Math.max(8, real / 64 / 8 * 8) : real;
    }
  }

  void run() throws Unavailable {
    try (var gpu = new Gpu(DriverLibrary.open())) {
      gpu.enter();
      try (var kernels = new KernelModules(gpu);
          var timer = new BenchTimer();
          var memory = new BenchMemory(timer.stream())) {
        var report = new BenchReport(record.json().putArray("measurements"), record::say);
        report.bandwidth(copyBandwidth(timer, memory));
        var bench = new Bench(kernels, timer, memory, report, gpu.multiprocessors());
        group("host", () -> new HostBench(bench).run());
        group("products", () -> new ProductBench(bench).run());
        group("packed products", () -> new PackedBench(bench).run());
        group("attention", () -> new AttentionBench(bench).run());
        group("rows", () -> new RowBench(bench).run());
      }
    }
  }

  /** One that fails hides no other, unless it breaks the context. */
  private void group(String name, Runnable measurements) {
    long start = System.nanoTime();
    try {
      measurements.run();
    } catch (RuntimeException | AssertionError e) {
      e.printStackTrace();
      record.fail(name, e.toString());
    }
    record.say("%s: %.1f s".formatted(name, (System.nanoTime() - start) / 1e9));
  }

  /** Copies one by one: in a graph, the card's copy engines do them, which are slower. */
  private static double copyBandwidth(BenchTimer timer, BenchMemory memory) {
    long bytes = SuitePart.simulated() ? 1 << 20 : 1 << 30;
    long to = memory.results(bytes);
    long from = memory.bf16().address(0, bytes);
    double least = Double.MAX_VALUE;
    for (int i = 0; i < COPIES; i++) {
      long start = System.nanoTime();
      DriverCalls.move(to, from, bytes, timer.stream());
      DriverCalls.synchronize(timer.stream());
      least = Math.min(least, BenchModel.since(start));
    }
    return 2 * bytes / least;
  }
}
