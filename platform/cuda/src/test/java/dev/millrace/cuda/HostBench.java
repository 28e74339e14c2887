package dev.millrace.cuda;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import jcuda.driver.JCudaDriver;

/** What launches cost the host: a step of a model is some hundreds of them. */
record HostBench(KernelBench.Bench bench) {
  private static final int LAUNCHES = 300;
  private static final int ROUNDS = 21;

  void run() {
    try (var arena = Arena.ofConfined()) {
      long out = bench.memory().results(4);
      long in = bench.memory().f32().address(0, 4);
      var one =
          bench.launch(arena, "scale_f32", BenchLaunch.Grid.of(1, 1, 256), in, 1, out, 1, 1, 1f);
      long stream = bench.timer().stream();
      Runnable queue =
          () -> {
            for (int i = 0; i < LAUNCHES; i++) {
              one.put(stream);
            }
          };
      note("host, one launch of a queue of 300", LAUNCHES, () -> timed(queue, stream, false));
      note("host and card, the same and its end", LAUNCHES, () -> timed(queue, stream, true));
      var graph = bench.timer().capture(queue);
      Runnable replay = () -> DriverCalls.launchGraph(graph.value(), stream);
      note("host, launch of a graph of 300", 1, () -> timed(replay, stream, false));
      note("host and card, one of 300 in a graph", LAUNCHES, () -> timed(replay, stream, true));
      JCudaDriver.cuGraphExecDestroy(graph);
      note("launch, end and back", 1, () -> timed(() -> one.put(stream), stream, true));
      note("synchronize when nothing is to do", 1, () -> timed(() -> {}, stream, true));
    }
  }

  private void note(String what, int count, DoubleSupplier seconds) {
    double[] rounds = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      rounds[i] = seconds.getAsDouble();
    }
    Arrays.sort(rounds);
    bench.report().note(what, rounds[ROUNDS / 2] * 1e6 / count);
  }

  private static double timed(Runnable put, long stream, boolean wait) {
    long start = System.nanoTime();
    put.run();
    if (wait) {
      DriverCalls.synchronize(stream);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    DriverCalls.synchronize(stream);
    return seconds;
  }
}
