package dev.millrace.engine.sample;

/**
 * Random numbers without state: a number follows from a seed and an index alone, so a request's
 * draws depend neither on its neighbours nor on preemptions.
 *
 * @see <a href="https://doi.org/10.1145/2660193.2660195">SplitMix64</a>
 */
final class CounterRandom {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private CounterRandom() {}

  /** A number in [0, 1), uniform in steps of 2⁻⁵³. */
  static double uniform(long seed, long index) {
    long mixed = mix(mix(seed) + index * GAMMA);
    return (mixed >>> 11) * 0x1p-53;
  }

  private static long mix(long value) {
    long z = value + GAMMA;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
