package dev.millrace.testkit.cuda;

import java.lang.foreign.MemorySegment;

/**
 * The kernels under test: in the emulator, or with {@code -Dmillrace.gpu=true} on the card that the
 * CUDA driver shows.
 */
final class Kernels {
  private static final KernelRunner RUNNER =
      Boolean.getBoolean("millrace.gpu") ? new Card() : new Emulator();

  private Kernels() {}

  /** Memory that kernels may use, zeros at first, at a multiple of 256. */
  static MemorySegment allocate(long bytes) {
    return RUNNER.allocate(bytes);
  }

  /**
   * Whether asynchronous copies land at once from now on, or as late as they may: emulator only.
   */
  static void copyEarly(boolean early) {
    RUNNER.copyEarly(early);
  }

  /**
   * Runs a kernel and waits for its end.
   *
   * @param arguments Integer, Long, Float or MemorySegment each; of the sizes that the kernel wants
   * @throws IllegalStateException if the launch failed
   */
  static void launch(String kernel, Grid grid, Object... arguments) {
    RUNNER.launch(kernel, grid, arguments);
  }
}
