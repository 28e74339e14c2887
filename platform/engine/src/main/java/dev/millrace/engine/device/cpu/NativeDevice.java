package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.Program;

/**
 * The CPU with native kernels: F32 activations, weights decoded in registers to exactly what they
 * stand for.
 */
public final class NativeDevice extends CpuDevice {
  private final NativeFunctions functions;

  /**
   * Starts the worker threads.
   *
   * @param set one of {@link NativeLibrary#sets()}
   * @param threads at least 1, the engine thread included
   */
  public NativeDevice(InstructionSet set, int threads) {
    super(set.label(), threads);
    this.functions = new NativeFunctions(NativeLibrary.get(), set);
  }

  @Override
  Kernels kernels(Program hidden, Program head, PagedKv kv, Workers shared) {
    return new NativeKernels(functions, hidden, head, kv, shared);
  }
}
