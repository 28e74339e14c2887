package dev.millrace.cuda;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.function.Consumer;
import jcuda.driver.JCudaDriver;

/** How fast the card's memory and the bus are, as copies of the driver's show it. */
record CopyBench(ObjectNode json, Consumer<String> say) {
  private static final int ROUNDS = 10;

  void run() throws Unavailable {
    try (var gpu = new Gpu(DriverLibrary.open())) {
      gpu.enter();
      long bytes = Math.min(1L << 30, gpu.memory(1).free() / 8);
      long small = Math.min(bytes, 64 << 20);
      var stream = new Handles.Stream();
      CudaResult.check(JCudaDriver.cuStreamCreate(stream, 1), "cuStreamCreate");
      try (var a = new Memory(bytes, "a copy");
          var b = new Memory(bytes, "a copy");
          var host = new PinnedMemory(small)) {
        long s = stream.value();
        // both read and written
        note("device", 2 * bytes, s, () -> DriverCalls.move(b.address(), a.address(), bytes, s));
        note("upload", small, s, () -> DriverCalls.upload(a.address(), host.segment(), small, s));
        note(
            "download",
            small,
            s,
            () -> DriverCalls.download(host.segment(), a.address(), small, s));
        note("round trip", 0, s, () -> DriverCalls.upload(a.address(), host.segment(), 4096, s));
      } finally {
        JCudaDriver.cuStreamDestroy(stream);
      }
    }
  }

  private void note(String name, long bytes, long stream, Runnable copy) {
    double[] seconds = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      long start = System.nanoTime();
      copy.run();
      DriverCalls.synchronize(stream);
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    Arrays.sort(seconds);
    double median = seconds[ROUNDS / 2];
    json.put(name + " s", median);
    json.put(name + " GB/s", bytes / median / 1e9);
    say.accept("copy, %s: %.1f us, %.1f GB/s".formatted(name, median * 1e6, bytes / median / 1e9));
  }
}
