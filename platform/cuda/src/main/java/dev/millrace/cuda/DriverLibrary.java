package dev.millrace.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import jcuda.CudaException;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * NVIDIA's driver library, and JCuda's beside it: whether they are here, fit together and have what
 * we call. Each thing that is wrong has its own message.
 */
@SuppressWarnings("restricted")
final class DriverLibrary {
  static final String NAME = "libcuda.so.1";

  /** CUDA 12.0: what JCuda 12.6 can be used with, and what translates our PTX. */
  private static final int OLDEST = 12_000;

  private static final String NATIVES = "lib/libJCudaDriver-12.6.0-linux-x86_64.so";

  /** What we call, as the library spells it: JCuda's calls by the names it binds. */
  private static final List<String> SYMBOLS =
      List.of(
          "cuInit",
          "cuDriverGetVersion",
          "cuDeviceGet",
          "cuDeviceGetCount",
          "cuDeviceGetName",
          "cuDeviceGetAttribute",
          "cuDeviceTotalMem_v2",
          "cuDevicePrimaryCtxRetain",
          "cuDevicePrimaryCtxRelease_v2",
          "cuCtxSetCurrent",
          "cuCtxSynchronize",
          "cuMemGetInfo_v2",
          "cuMemAlloc_v2",
          "cuMemFree_v2",
          "cuMemHostAlloc",
          "cuMemFreeHost",
          "cuMemcpyHtoD_v2",
          "cuMemcpyHtoDAsync_v2",
          "cuMemcpyDtoHAsync_v2",
          "cuMemcpyDtoDAsync_v2",
          "cuMemsetD8Async",
          "cuModuleLoadDataEx",
          "cuModuleUnload",
          "cuModuleGetFunction",
          "cuFuncSetAttribute",
          "cuLaunchKernelEx",
          "cuStreamCreate",
          "cuStreamDestroy_v2",
          "cuStreamSynchronize",
          "cuStreamBeginCapture_v2",
          "cuStreamEndCapture",
          "cuEventCreate",
          "cuEventDestroy_v2",
          "cuEventRecord",
          "cuEventSynchronize",
          "cuEventElapsedTime",
          "cuGraphInstantiateWithFlags",
          "cuGraphLaunch",
          "cuGraphExecDestroy",
          "cuGraphDestroy");

  private DriverLibrary() {}

  /**
   * Loads and initialises the driver; to be called before anything else here.
   *
   * @return its version as {@code cuDriverGetVersion} gives it, 13000 for CUDA 13.0
   */
  static int open() throws Unavailable {
    requirePlatform();
    requireSymbols();
    requireNatives();
    try {
      return initialise();
    } catch (UnsatisfiedLinkError | CudaException e) {
      throw new Unavailable("JCuda's native library cannot be loaded: " + e.getMessage());
    }
  }

  private static void requirePlatform() throws Unavailable {
    String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!platform.equals("Linux amd64")) {
      throw new Unavailable("GPUs are used on Linux on x86-64 only, this is " + platform);
    }
  }

  private static void requireSymbols() throws Unavailable {
    try (var arena = Arena.ofConfined()) {
      var library = SymbolLookup.libraryLookup(NAME, arena);
      var missing = SYMBOLS.stream().filter(name -> library.find(name).isEmpty()).toList();
      if (!missing.isEmpty()) {
        throw new Unavailable(
            "%s lacks %s; install an NVIDIA driver of version 525 or newer"
                .formatted(NAME, String.join(", ", missing)));
      }
    } catch (IllegalArgumentException _) {
      throw new Unavailable(
          "no NVIDIA driver: %s is not there; install one of version 525 or newer (Debian: nvidia-driver; in a container, run it with --gpus)"
              .formatted(NAME));
    }
  }

  /** Two copies on the class path, or in two class loaders, and the JVM refuses one of them. */
  private static void requireNatives() throws Unavailable {
    List<URL> found = new ArrayList<>();
    try {
      found = Collections.list(DriverLibrary.class.getClassLoader().getResources(NATIVES));
    } catch (IOException e) {
      throw new Unavailable("JCuda's native library cannot be looked for: " + e.getMessage());
    }
    if (found.isEmpty()) {
      throw new Unavailable(
          "JCuda's native library is not on the class path; add"
              + " jcuda-natives-12.6.0-linux-x86_64.jar");
    }
    if (found.size() > 1) {
      throw new Unavailable("JCuda's native library is there twice; remove one of " + found);
    }
  }

  private static int initialise() throws Unavailable {
    int[] version = new int[1];
    require(JCudaDriver.cuDriverGetVersion(version), "cuDriverGetVersion");
    if (version[0] < OLDEST) {
      throw new Unavailable(
          "the NVIDIA driver is for CUDA %s, at least 12.0 is needed; install version 525 or newer"
              .formatted(name(version[0])));
    }
    int result = JCudaDriver.cuInit(0);
    int[] count = new int[1];
    if (result == SUCCESS) {
      result = JCudaDriver.cuDeviceGetCount(count);
    }
    if (result == CUresult.CUDA_ERROR_NO_DEVICE || (result == SUCCESS && count[0] == 0)) {
      throw new Unavailable(
          "the NVIDIA driver sees no GPU; is one in the machine, and does CUDA_VISIBLE_DEVICES hide"
              + " it?");
    }
    require(result, "cuInit");
    return version[0];
  }

  private static final int SUCCESS = CudaResult.SUCCESS;

  /** 13.0 for 13000. */
  static String name(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  /** The first device that the driver shows. */
  static CUdevice firstDevice() {
    var device = new CUdevice();
    CudaResult.check(JCudaDriver.cuDeviceGet(device, 0), "cuDeviceGet");
    return device;
  }

  private static void require(int result, String call) throws Unavailable {
    if (result != SUCCESS) {
      throw new Unavailable(
          "%s: %s; nvidia-smi may say more".formatted(call, CUresult.stringFor(result)));
    }
  }
}
