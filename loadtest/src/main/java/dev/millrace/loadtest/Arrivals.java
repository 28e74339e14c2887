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
    checkRate(perSecond);
    var random = new SplittableRandom(seed);
    var offsets = new long[requests];
    double seconds = 0;
    for (int i = 0; i < requests; i++) {
      seconds -= Math.log1p(-random.nextDouble()) / perSecond;
      offsets[i] = Math.round(seconds * 1e9);
    }
    return new Arrivals(offsets);
  }

  /** Evenly spaced arrivals, the first at once. */
  public static Arrivals constant(int requests, double perSecond) {
    return burst(requests, perSecond, 1);
  }

  /** Groups that arrive at the same moment, evenly spaced so that the mean rate is as asked. */
  public static Arrivals burst(int requests, double perSecond, int size) {
    checkRate(perSecond);
    if (size < 1) {
      throw new IllegalArgumentException("a burst needs at least one request, not " + size);
    }
    var offsets = new long[requests];
    for (int i = 0; i < requests; i++) {
      int group = i / size;
      offsets[i] = Math.round(group * (size * 1e9 / perSecond));
    }
    return new Arrivals(offsets);
  }

  private static void checkRate(double perSecond) {
    if (!(perSecond > 0) || Double.isInfinite(perSecond)) {
      throw new IllegalArgumentException("an arrival rate above zero is needed, not " + perSecond);
    }
  }

  int size() {
    return offsetsNanos.length;
  }

  long offsetNanos(int index) {
    return offsetsNanos[index];
  }
}
