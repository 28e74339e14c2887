package dev.millrace.loadtest;

import java.util.SplittableRandom;

/**
 * An absolute arrival schedule: nanoseconds from the start of the run, ascending, fixed before the
 * run begins, so that a slow server cannot slow the load down.
 */
public record Arrivals(long[] offsetsNanos) {
  public Arrivals {
    offsetsNanos = offsetsNanos.clone();
    for (int i = 0; i < offsetsNanos.length; i++) {
      if (offsetsNanos[i] < (i == 0 ? 0 : offsetsNanos[i - 1])) {
        throw new IllegalArgumentException("arrival " + i + " lies before the one it follows");
      }
    }
  }

  /** Poisson arrivals at a mean rate; equal arguments give equal schedules. */
  public static Arrivals poisson(int requests, double perSecond, long seed) {
    if (!(perSecond > 0) || Double.isInfinite(perSecond)) {
      throw new IllegalArgumentException("an arrival rate above zero is needed, not " + perSecond);
    }
    var random = new SplittableRandom(seed);
    var offsets = new long[requests];
    double seconds = 0;
    for (int i = 0; i < requests; i++) {
      seconds -= Math.log1p(-random.nextDouble()) / perSecond;
      offsets[i] = Math.round(seconds * 1e9);
    }
    return new Arrivals(offsets);
  }

  int size() {
    return offsetsNanos.length;
  }

  long offsetNanos(int index) {
    return offsetsNanos[index];
  }
}
