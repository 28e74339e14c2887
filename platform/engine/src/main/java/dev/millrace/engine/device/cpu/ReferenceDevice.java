package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.Program;

/**
 * The CPU in plain Java: F32 values, F64 sums, one number at a time. Slow, and the truth that every
 * kernel is checked against.
 */
public final class ReferenceDevice extends CpuDevice {
  /**
   * Starts the worker threads.
   *
   * @param threads at least 1, the engine thread included
   */
  public ReferenceDevice(int threads) {
    super("reference", threads);
  }

  @Override
  Kernels kernels(Program hidden, Program head, PagedKv kv, Workers shared) {
    return new ReferenceKernels(kv, shared);
  }
}
