package dev.millrace.server.bench;

import dev.millrace.engine.HostSettings;
import dev.millrace.engine.load.ModelSettings;
import java.util.Map;

/** A host on the CPU for measurements: nothing is shared between requests, few limits are met. */
public final class BenchHost {
  private BenchHost() {}

  /**
   * Its settings.
   *
   * @param kernels as {@code --cpu-kernels}
   * @param activations as {@code --quantized-activations}
   * @param threads that compute; 0: one per core
   */
  public static HostSettings settings(
      ModelSettings model, String kernels, String activations, int threads) {
    return new HostSettings(
        model,
        "cpu",
        1,
        false,
        kernels,
        activations,
        threads,
        "continuous",
        Map.of(),
        0,
        64,
        512,
        16,
        0,
        "auto",
        false,
        1024,
        1_000_000);
  }
}
