package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.Program;

/**
 * The CPU with native kernels. Activations are F32 and weights what they stand for, exactly; but
 * where the instruction set multiplies BF16 numbers, linears whose weights are BF16, INT8 or INT4
 * round their activations, and weights in groups, to BF16, and sum in F32.
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
    this(NativeLibrary.get(), set, threads);
  }

  /**
   * Computes with another library than the jar's.
   *
   * @param set that the library {@linkplain NativeLibrary#has has}
   */
  public NativeDevice(NativeLibrary library, InstructionSet set, int threads) {
    super(set.label(), threads);
    this.functions = new NativeFunctions(library, set);
  }

  @Override
  Kernels kernels(Program hidden, Program head, PagedKv kv, Workers shared) {
    return new NativeKernels(functions, hidden, head, kv, shared);
  }
}
