package dev.millrace.cuda;

/** Whether driver and kernels load, and what the card is. */
final class DriverPart {
  private DriverPart() {}

  static void run(SuiteRecord record) throws Unavailable {
    int version = DriverLibrary.open();
    try (var gpu = new Gpu(version)) {
      gpu.enter();
      var memory = gpu.memory(1);
      record
          .json()
          .put("card", gpu.name())
          .put("architecture", gpu.architecture())
          .put("multiprocessors", gpu.multiprocessors())
          .put("driver", version)
          .put("memory", memory.total());
      record.say(
          "%s, compute capability %d, CUDA %s, %,d MiB"
              .formatted(
                  gpu.name(),
                  gpu.architecture(),
                  DriverLibrary.name(version),
                  memory.total() >> 20));
      long start = System.nanoTime();
      new KernelModules(gpu).close();
      record.say("kernels load in %.0f ms".formatted((System.nanoTime() - start) / 1e6));
    }
  }
}
