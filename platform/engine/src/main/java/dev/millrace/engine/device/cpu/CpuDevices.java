package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.Device;

/** Chooses among the CPU's kernels. */
public final class CpuDevices {
  private CpuDevices() {}

  /**
   * The fastest kernels of this machine that leave activations in F32.
   *
   * @param threads at least 1
   */
  public static Device exact(int threads) {
    for (var set : NativeLibrary.sets()) {
      if (!set.roundsActivations()) {
        return new NativeDevice(set, threads);
      }
    }
    return VectorModule.lack().isEmpty() ? new VectorDevice(threads) : new ReferenceDevice(threads);
  }
}
