package dev.millrace.engine.load;

import java.nio.charset.StandardCharsets;

/**
 * Numbers about normal(0, 0.02), each a function of seed, name and index alone, so that they can be
 * made in any order and on any number of threads.
 */
final class DummyNumbers {
  private static final double DEVIATION = 0.02;

  // four 16-bit parts of one hash, summed: mean 4 · 65535 / 2, variance 4 · (65536² − 1) / 12
  private static final int MEAN = 2 * 65535;
  private static final double SCALE = DEVIATION / Math.sqrt((65536.0 * 65536.0 - 1) / 3);

  private final long start;

  DummyNumbers(String name, long seed) {
    this.start = mix(seed) ^ fnv1a(name);
  }

  /** Writes the numbers from index {@code first} on. */
  void fill(float[] out, long first) {
    for (int i = 0; i < out.length; i++) {
      long bits = mix(start + first + i);
      int sum =
          (int) (bits & 0xFFFF)
              + (int) (bits >>> 16 & 0xFFFF)
              + (int) (bits >>> 32 & 0xFFFF)
              + (int) (bits >>> 48);
      out[i] = (float) ((sum - MEAN) * SCALE);
    }
  }

  private static long fnv1a(String name) {
    long hash = 0xCBF29CE484222325L;
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
    }
    return hash;
  }

  /** One step of splitmix64. */
  private static long mix(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
