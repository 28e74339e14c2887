package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.Program;

/**
 * The CPU in Java with the Vector API, for machines without native kernels: F32 activations,
 * weights decoded to exactly what they stand for, and the same results whatever the width of the
 * machine's vectors. Loads no model where {@link VectorModule#lack} says why not.
 */
public final class VectorDevice extends CpuDevice {
  /**
   * Starts the worker threads.
   *
   * @param threads at least 1, the engine thread included
   */
  public VectorDevice(int threads) {
    super("vector", threads);
  }

  @Override
  Kernels kernels(Program hidden, Program head, PagedKv kv, Workers shared) {
    if (!VectorModule.lack().isEmpty()) {
      throw new IllegalStateException(VectorModule.lack());
    }
    return new VectorKernels(hidden, head, kv, shared);
  }
}
