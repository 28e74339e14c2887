package dev.millrace.server.bench;

import dev.millrace.engine.device.cpu.MachineLimits;
import dev.millrace.engine.device.cpu.NativeLibrary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What this machine's cores multiply at best, all at once; as with {@link Bandwidth}, the best of
 * many rounds.
 */
final class Peaks {
  private static final int ROUNDS = 20;

  /** Some milliseconds of AVX-512: long beside the start of a thread. */
  private static final long LENGTH = 200_000;

  private Peaks() {}

  /**
   * One peak.
   *
   * @param numbers what is multiplied, e.g. {@code bf16}
   * @param unit what multiplies, e.g. {@code avx512}
   * @param operationsPerSecond of all threads; a product and its sum are two
   */
  record Peak(String numbers, String unit, double operationsPerSecond) {}

  /** The peak of each kind of numbers; none where there is no native library. */
  static List<Peak> measure(int threads) throws Exception {
    var peaks = new ArrayList<Peak>();
    if (!NativeLibrary.lack().isEmpty()) {
      return peaks;
    }
    var limits = MachineLimits.open();
    try (var together = new AtOnce(threads)) {
      for (var kind : limits.kinds()) {
        double best = 0;
        for (int round = 0; round < ROUNDS; round++) {
          long operations = threads * limits.multiply(kind, 1) * LENGTH;
          long nanos = together.time(_ -> limits.multiply(kind, LENGTH));
          best = Math.max(best, operations * 1e9 / nanos);
        }
        peaks.add(
            new Peak(
                kind.numbers().name().toLowerCase(Locale.ROOT),
                kind.unit().name().toLowerCase(Locale.ROOT),
                best));
      }
    }
    return peaks;
  }
}
