package dev.millrace.cuda;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * The kernels of {@code kernels/cuda} on one card: machine code made for it where the kernels jar
 * has some, else PTX that the driver translates. Entered threads only.
 */
final class KernelModules implements AutoCloseable {
  private static final String FOLDER = "/dev/millrace/kernels/cuda/";

  /** The oldest cards that the kernels are written for: Ampere. */
  private static final int OLDEST = 80;

  /** What the kernels jar holds for each source. */
  static final List<String> SOURCES =
      List.of(
          "append",
          "attend",
          "decode",
          "elementwise",
          "embed",
          "experts",
          "logits",
          "move",
          "multiply",
          "multiply_few",
          "multiply_few_packed",
          "multiply_mma",
          "multiply_packed",
          "norm",
          "prefill",
          "quantise",
          "sample",
          "unpack");

  /** Cards whose kernels may begin before the one ahead has ended: Hopper, by its own code only. */
  private static final int EARLY = 90;

  /** The system property that has every kernel wait for the one ahead all the same. */
  private static final String OVERLAP = "millrace.cuda.overlap";

  /** Shared memory that a kernel gets without asking. */
  private static final int SHARED = 48 << 10;

  private final List<CUmodule> modules = new ArrayList<>();
  private final Map<String, Handles.Function> functions = new HashMap<>();
  private boolean early;

  /** Loads them all. */
  KernelModules(Gpu gpu) throws Unavailable {
    if (gpu.architecture() < OLDEST) {
      throw new Unavailable(
          "no kernels for %s: its compute capability is %s, at least 8.0 (Ampere) is needed"
              .formatted(gpu.name(), capability(gpu)));
    }
    early = gpu.architecture() == EARLY && !"false".equals(System.getProperty(OVERLAP));
    try {
      for (String source : SOURCES) {
        modules.add(load(source, gpu));
      }
    } catch (Unavailable | RuntimeException e) {
      close();
      throw e;
    }
  }

  private CUmodule load(String source, Gpu gpu) throws Unavailable {
    byte[] cubin = read(source + "." + machineCode(gpu.architecture()) + ".cubin");
    byte[] ptx = read(source + ".ptx");
    if (cubin == null && ptx == null) {
      throw new Unavailable(
          "this build has no CUDA kernels: it was made without nvcc; build it where the CUDA"
              + " toolkit 13 is");
    }
    var module = new CUmodule();
    int result = cubin == null ? CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU : load(module, cubin);
    if (result != CudaResult.SUCCESS && ptx != null) {
      early = false;
      result = load(module, Arrays.copyOf(ptx, ptx.length + 1)); // a text ends with 0
    }
    if (result != CudaResult.SUCCESS) {
      throw new Unavailable(
          "no kernels for %s (compute capability %s) under a driver for CUDA %s: %s is refused with %s; install driver 580 or newer"
              .formatted(
                  gpu.name(),
                  capability(gpu),
                  DriverLibrary.name(gpu.driver()),
                  source,
                  CUresult.stringFor(result)));
    }
    return module;
  }

  private static int load(CUmodule module, byte[] image) {
    return JCudaDriver.cuModuleLoadDataEx(module, jcuda.Pointer.to(image), 0, new int[0], null);
  }

  /** The one whose machine code runs on a card; any other gets PTX. */
  private static String machineCode(int architecture) {
    return architecture == 90 ? "sm_90a" : architecture == 89 ? "sm_89" : "sm_80";
  }

  private static String capability(Gpu gpu) {
    return gpu.architecture() / 10 + "." + gpu.architecture() % 10;
  }

  static byte @Nullable [] read(String file) {
    try (InputStream in = KernelModules.class.getResourceAsStream(FOLDER + file)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A kernel, and how it is launched. */
  record Kernel(long function, LaunchConfiguration configuration) {}

  /**
   * A kernel by its symbol, to be launched with blocks of one dimension.
   *
   * @param shared bytes of dynamic shared memory
   * @param arena that the launches live in
   * @throws InferenceException {@code DEVICE_FAILURE} if there is none
   */
  Kernel kernel(String symbol, int threads, int shared, Arena arena) {
    return new Kernel(
        function(symbol, shared), new LaunchConfiguration(threads, shared, early, arena));
  }

  /** The same with room for its parameters. */
  Launch launch(String symbol, int threads, int shared, int parameters, Arena arena) {
    return new Launch(kernel(symbol, threads, shared, arena), parameters, arena);
  }

  private long function(String symbol, int shared) {
    var function = functions.computeIfAbsent(symbol, this::find);
    if (shared > SHARED) {
      CudaResult.check(
          JCudaDriver.cuFuncSetAttribute(
              function,
              CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
              shared),
          symbol + " with " + shared + " bytes of shared memory");
    }
    return function.value();
  }

  private Handles.Function find(String symbol) {
    var function = new Handles.Function();
    for (var module : modules) {
      int result = JCudaDriver.cuModuleGetFunction(function, module, symbol);
      if (result == CudaResult.SUCCESS) {
        return function;
      }
      if (result != CUresult.CUDA_ERROR_NOT_FOUND) {
        throw CudaResult.failure(result, "cuModuleGetFunction of " + symbol);
      }
    }
    throw new InferenceException(ErrorCode.DEVICE_FAILURE, "there is no CUDA kernel " + symbol);
  }

  @Override
  public void close() {
    modules.forEach(JCudaDriver::cuModuleUnload); // a broken context has none
  }
}
