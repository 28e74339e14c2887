package dev.millrace.engine;

import static java.util.stream.Collectors.joining;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceProvider;
import dev.millrace.engine.device.DeviceSettings;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.LinearActivations;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.engine.device.cpu.VectorModule;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Arrays;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens devices by the names users give them. */
final class Devices {
  private static final String AUTO = "auto";
  private static final String CPU = "cpu";
  private static final Logger LOG = LoggerFactory.getLogger(Devices.class);

  private static final String NONE = "none";
  private static final String INT8 = "int8";
  private static final String NEEDED =
      "quantized-activations int8 needs native kernels for AVX-512 with VNNI";

  private static final String KERNELS = "auto, amx, avx512bf16, avx512, avx2, vector, reference";

  private Devices() {}

  /** Throws if there is no such device. */
  static void check(HostSettings settings) {
    switch (settings.device()) {
      case AUTO, CPU -> {}
      default -> {
        var _ = provider(settings.device());
      }
    }
    double part = settings.gpuMemoryUtilization();
    if (!(part > 0 && part <= 1)) {
      throw wrong("gpu-memory-utilization is " + part + ", it must be above 0 and at most 1");
    }
    checkKernels(settings.cpuKernels());
    checkActivations(settings);
    if (!settings.kvCacheDtype().equals(AUTO)) {
      var _ = KvDtype.of(settings.kvCacheDtype());
    }
    int threads = settings.threads();
    if (threads < 0 || threads > 1024) {
      throw wrong("threads is " + threads + ", it must be 1 to 1024, or 0 for one per processor");
    }
  }

  private static void checkKernels(String name) {
    if (name.equals(AUTO) || name.equals("reference")) {
      return;
    }
    if (name.equals("vector")) {
      if (!VectorModule.lack().isEmpty()) {
        throw wrong("cpu-kernels vector: no Vector API here: " + VectorModule.lack());
      }
      return;
    }
    var set =
        Arrays.stream(InstructionSet.values())
            .filter(known -> known.label().equals(name))
            .findAny()
            .orElseThrow(
                () -> wrong("cpu-kernels %s is unknown; known: %s".formatted(name, KERNELS)));
    if (!NativeLibrary.sets().contains(set)) {
      throw wrong(
          "cpu-kernels %s: %s; use auto"
              .formatted(
                  name,
                  NativeLibrary.sets().isEmpty()
                      ? "no native kernels here: " + NativeLibrary.lack()
                      : "this processor has " + NativeLibrary.sets()));
    }
  }

  private static void checkActivations(HostSettings settings) {
    String asked = settings.quantizedActivations();
    switch (asked) {
      case NONE -> {}
      case INT8 -> {
        if (!settings.device().equals(CPU) && !settings.device().equals(AUTO)) {
          throw wrong("quantized-activations int8 is for device cpu, not " + settings.device());
        }
        String kernels = settings.cpuKernels();
        boolean offered =
            switch (kernels) {
              case "avx2", "vector", "reference" -> false;
              default -> true;
            };
        if (!offered) {
          throw wrong(NEEDED + ", not cpu-kernels " + kernels);
        }
        if (!NativeLibrary.get().multipliesBytes()) {
          throw wrong(
              NEEDED
                  + (NativeLibrary.sets().isEmpty()
                      ? "; none here: " + NativeLibrary.lack()
                      : ", which this processor does not have"));
        }
      }
      default ->
          throw wrong("quantized-activations %s is unknown; known: none, int8".formatted(asked));
    }
  }

  private static DeviceProvider provider(String name) {
    return providers()
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            wrong(
                "device %s is not there; known: auto, cpu%s"
                    .formatted(
                        name,
                        providers().map(provider -> ", " + provider.name()).collect(joining()))));
  }

  private static Stream<DeviceProvider> providers() {
    return ServiceLoader.load(DeviceProvider.class, Devices.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get);
  }

  /** The device of this name; for {@code auto} the first that can be used, at worst the CPU. */
  static Device open(HostSettings settings) {
    check(settings);
    var asked = new DeviceSettings(settings.gpuMemoryUtilization(), settings.batchInvariant());
    return switch (settings.device()) {
      case CPU -> openCpu(settings);
      case AUTO ->
          providers()
              .flatMap(provider -> tryToOpen(provider, asked).stream())
              .findFirst()
              .orElseGet(() -> openCpu(settings));
      default -> provider(settings.device()).open(asked);
    };
  }

  private static Optional<Device> tryToOpen(DeviceProvider provider, DeviceSettings asked) {
    try {
      return Optional.of(provider.open(asked));
    } catch (InferenceException e) {
      LOG.info("not on {}: {}", provider.name(), e.getMessage());
      return Optional.empty();
    }
  }

  private static Device openCpu(HostSettings settings) {
    int processors = Runtime.getRuntime().availableProcessors();
    int threads = settings.threads() == 0 ? processors : settings.threads();
    String kernels = settings.cpuKernels();
    if (kernels.equals("reference")) {
      return new ReferenceDevice(threads);
    }
    if (kernels.equals("vector")) {
      return new VectorDevice(threads);
    }
    if (NativeLibrary.sets().isEmpty()) {
      return openWithoutNativeKernels(threads);
    }
    var set =
        NativeLibrary.sets().stream()
            .filter(have -> have.label().equals(kernels))
            .findAny()
            .orElseGet(() -> NativeLibrary.sets().getFirst());
    var activations =
        settings.quantizedActivations().equals(INT8)
            ? LinearActivations.INT8
            : LinearActivations.FLOAT;
    return new NativeDevice(NativeLibrary.get(), set, activations, threads);
  }

  private static Device openWithoutNativeKernels(int threads) {
    if (VectorModule.lack().isEmpty()) {
      LOG.warn(
          "no native CPU kernels, so Java's Vector API computes, a third as fast: {}",
          NativeLibrary.lack());
      return new VectorDevice(threads);
    }
    LOG.warn(
        "no native CPU kernels ({}) and no Vector API ({}), so plain Java computes, twenty to sixty"
            + " times slower",
        NativeLibrary.lack(),
        VectorModule.lack());
    return new ReferenceDevice(threads);
  }

  /** How the device is to store a model's keys and values. */
  static KvDtype kvDtype(HostSettings settings, Device device, LoadedModel model) {
    if (settings.kvCacheDtype().equals(AUTO)) {
      return device.kvDtype(model.model(), model.spec());
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
