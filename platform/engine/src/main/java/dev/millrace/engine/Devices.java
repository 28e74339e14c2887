package dev.millrace.engine;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/** Opens devices by the names users give them. */
final class Devices {
  private Devices() {}

  /** Throws if there is no such device. */
  static void check(HostSettings settings) {
    switch (settings.device()) {
      case "auto", "cpu" -> {}
      case "cuda" ->
          throw wrong("device cuda: this build has no CUDA device; use device cpu or auto");
      default -> throw wrong("device " + settings.device() + " is unknown; known: auto, cpu, cuda");
    }
    switch (settings.cpuKernels()) {
      case "auto", "reference" -> {}
      default ->
          throw wrong(
              "cpu-kernels " + settings.cpuKernels() + " is unknown; known: auto, reference");
    }
    int threads = settings.threads();
    if (threads < 0 || threads > 1024) {
      throw wrong("threads is " + threads + ", it must be 1 to 1024, or 0 for one per processor");
    }
  }

  static Device open(HostSettings settings) {
    check(settings);
    int processors = Runtime.getRuntime().availableProcessors();
    return new ReferenceDevice(settings.threads() == 0 ? processors : settings.threads());
  }

  private static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CONFIGURATION, what);
  }
}
