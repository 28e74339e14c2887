package dev.millrace.cuda;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Pattern;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** Whether the driver translates the PTX that cards without machine code of their own get. */
final class PtxPart {
  private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)");

  private PtxPart() {}

  static void run(SuiteRecord record) throws Unavailable {
    try (var gpu = new Gpu(DriverLibrary.open())) {
      gpu.enter();
      for (var source : KernelModules.SOURCES) {
        long start = System.nanoTime();
        int result = translate(source);
        if (result == CudaResult.SUCCESS) {
          record.say("%s: %.1f s".formatted(source, (System.nanoTime() - start) / 1e9));
        } else {
          record.fail(source, CUresult.stringFor(result));
        }
      }
    }
  }

  /** A driver that loads lazily translates when it is asked for a kernel. */
  private static int translate(String source) {
    byte[] ptx = Objects.requireNonNull(KernelModules.read(source + ".ptx"));
    var module = new CUmodule();
    byte[] text = Arrays.copyOf(ptx, ptx.length + 1);
    int result = JCudaDriver.cuModuleLoadDataEx(module, Pointer.to(text), 0, new int[0], null);
    if (result != CudaResult.SUCCESS) {
      return result;
    }
    var entries = ENTRY.matcher(new String(ptx, StandardCharsets.US_ASCII));
    while (result == CudaResult.SUCCESS && entries.find()) {
      result = JCudaDriver.cuModuleGetFunction(new CUfunction(), module, entries.group(1));
    }
    JCudaDriver.cuModuleUnload(module);
    return result;
  }
}
