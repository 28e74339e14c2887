package dev.millrace.cuda;

import java.util.Arrays;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/** Times work of the card with its events, as many repetitions in one graph. */
final class BenchTimer implements AutoCloseable {
  private static final int ROUNDS = SuitePart.simulated() ? 1 : 5;
  private static final double ROUND_SECONDS = 4e-3;
  private static final int MOST_REPETITIONS = 256;

  private final Handles.Stream stream = new Handles.Stream();
  private final CUevent before = new CUevent();
  private final CUevent after = new CUevent();

  /**
   * Work that can be done with several sets of inputs, so that none of them is found in a cache.
   */
  interface Work {
    void put(int set, long stream);
  }

  BenchTimer() {
    CudaResult.check(JCudaDriver.cuStreamCreate(stream, 1), "cuStreamCreate");
    CudaResult.check(JCudaDriver.cuEventCreate(before, 0), "cuEventCreate");
    CudaResult.check(JCudaDriver.cuEventCreate(after, 0), "cuEventCreate");
  }

  long stream() {
    return stream.value();
  }

  /** The median of several rounds, of which each does the work many times. */
  double seconds(int sets, Work work) {
    work.put(0, stream.value());
    DriverCalls.synchronize(stream.value());
    double once = elapsed(() -> putAll(sets, sets, work)) / sets;
    double wanted = SuitePart.simulated() ? 0 : ROUND_SECONDS / once;
    int repetitions = (int) Math.clamp(Math.ceil(wanted), sets, Math.max(sets, MOST_REPETITIONS));
    var graph = capture(() -> putAll(repetitions, sets, work));
    try {
      DriverCalls.launchGraph(graph.value(), stream.value());
      double[] rounds = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        rounds[i] = elapsed(() -> DriverCalls.launchGraph(graph.value(), stream.value()));
      }
      Arrays.sort(rounds);
      return rounds[ROUNDS / 2] / repetitions;
    } finally {
      JCudaDriver.cuGraphExecDestroy(graph);
    }
  }

  private void putAll(int repetitions, int sets, Work work) {
    for (int i = 0; i < repetitions; i++) {
      work.put(i % sets, stream.value());
    }
  }

  /** What is put into the stream, as a graph to be launched. */
  Handles.Executable capture(Runnable put) {
    var graph = new CUgraph();
    CudaResult.check(
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED),
        "cuStreamBeginCapture");
    put.run();
    CudaResult.check(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
    var executable = new Handles.Executable();
    int result = JCudaDriver.cuGraphInstantiate((CUgraphExec) executable, graph, 0);
    JCudaDriver.cuGraphDestroy(graph);
    CudaResult.check(result, "cuGraphInstantiate");
    return executable;
  }

  /** How long the card is at it. */
  double elapsed(Runnable put) {
    CudaResult.check(JCudaDriver.cuEventRecord(before, stream), "cuEventRecord");
    put.run();
    CudaResult.check(JCudaDriver.cuEventRecord(after, stream), "cuEventRecord");
    DriverCalls.synchronize(stream.value());
    float[] milliseconds = new float[1];
    CudaResult.check(
        JCudaDriver.cuEventElapsedTime(milliseconds, before, after), "cuEventElapsedTime");
    return Math.max(1e-9, milliseconds[0] / 1e3);
  }

  @Override
  public void close() {
    JCudaDriver.cuEventDestroy(before);
    JCudaDriver.cuEventDestroy(after);
    JCudaDriver.cuStreamDestroy(stream);
  }
}
