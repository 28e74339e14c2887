package dev.millrace.engine;

import static java.util.stream.Collectors.joining;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
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
    if (!settings.kvCacheDtype().equals("auto")) {
      var _ = KvDtype.of(settings.kvCacheDtype());
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

  /** How the device is to store keys and values. */
  static KvDtype kvDtype(HostSettings settings, Device device) {
    if (settings.kvCacheDtype().equals("auto")) {
      return device.kvDtypes().getFirst();
    }
    var asked = KvDtype.of(settings.kvCacheDtype());
    if (!device.kvDtypes().contains(asked)) {
      throw wrong(
          "kv-cache-dtype %s is not for %s; it has %s"
              .formatted(
                  asked.label(),
                  device.name(),
                  device.kvDtypes().stream().map(KvDtype::label).collect(joining(", "))));
    }
    return asked;
  }

  private static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CONFIGURATION, what);
  }
}
