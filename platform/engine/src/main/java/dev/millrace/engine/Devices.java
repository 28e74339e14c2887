package dev.millrace.engine;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/** Opens devices by the names users give them. */
final class Devices {
  private Devices() {}

  static Device open(HostSettings settings) {
    return switch (settings.device()) {
      case "auto", "cpu" -> cpu(settings);
      case "cuda" ->
          throw wrong("device cuda: this build has no CUDA device; use device cpu or auto");
      default -> throw wrong("device " + settings.device() + " is unknown; known: auto, cpu, cuda");
    };
  }

  private static Device cpu(HostSettings settings) {
    int processors = Runtime.getRuntime().availableProcessors();
    int threads = settings.threads() == 0 ? processors : settings.threads();
    if (threads < 1 || threads > 1024) {
      throw wrong("threads is " + threads + ", it must be 1 to 1024, or 0 for one per processor");
    }
    return switch (settings.cpuKernels()) {
      case "auto", "reference" -> new ReferenceDevice(threads);
      default ->
          throw wrong(
              "cpu-kernels " + settings.cpuKernels() + " is unknown; known: auto, reference");
    };
  }

  private static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CONFIGURATION, what);
  }
}
