package dev.millrace.cuda;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Executable graphs of one program, by the number of its rows: one call instead of a launch for
 * each kernel, and less time between them on the card. A number of rows is run launch by launch the
 * first time, so that every kernel is loaded, and recorded the second. Entered threads only.
 */
final class Graphs implements Owned.Closing {
  private static final int FEW = 8;
  private static final int MANY = 256;

  private final Map<Integer, Handles.Executable> executables = new HashMap<>();
  private final Set<Integer> seen = new HashSet<>();

  /**
   * The rows that a step runs with that is to be a graph: 1, 2, 4, 8, 16, 24 and so on to 256. More
   * stay as they are: their kernels take longer than launching them.
   */
  static int padded(int rows) {
    if (rows > MANY) {
      return rows;
    }
    return rows > FEW ? Math.ceilDiv(rows, FEW) * FEW : Integer.highestOneBit(2 * rows - 1);
  }

  /** Puts work into the stream that depends on the number of rows alone. */
  void run(StepSize size, Work work, Handles.Stream stream) {
    if (size.rows() > MANY || size.rows() != padded(size.rows()) || size.tiles() > 0) {
      work.run(size, stream.value());
      return;
    }
    int key = size.decodes() ? size.rows() : -size.rows();
    var executable = executables.get(key);
    if (executable == null && seen.add(key)) {
      work.run(size, stream.value());
      return;
    }
    if (executable == null) {
      executable = record(size, work, stream);
      executables.put(key, executable);
    }
    DriverCalls.launchGraph(executable.value(), stream.value());
  }

  private static Handles.Executable record(StepSize size, Work work, Handles.Stream stream) {
    int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    CudaResult.check(JCudaDriver.cuStreamBeginCapture(stream, mode), "cuStreamBeginCapture");
    var graph = new CUgraph();
    try {
      work.run(size, stream.value());
    } finally {
      CudaResult.check(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
    }
    try {
      var executable = new Handles.Executable();
      CudaResult.check(JCudaDriver.cuGraphInstantiate(executable, graph, 0), "cuGraphInstantiate");
      return executable;
    } finally {
      JCudaDriver.cuGraphDestroy(graph);
    }
  }

  /** Forgets them all, because addresses have changed. */
  @Override
  public void close() {
    executables.values().forEach(JCudaDriver::cuGraphExecDestroy);
    executables.clear();
    seen.clear();
  }
}
