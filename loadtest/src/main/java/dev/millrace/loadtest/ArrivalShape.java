package dev.millrace.loadtest;

/** How the arrivals of an open loop are spread over time. */
public enum ArrivalShape {
  /** Independent users: gaps are exponential. */
  POISSON,
  /** A metronome: gaps are equal. */
  CONSTANT,
  /** Groups of {@link #BURST_SIZE} at the same moment, then silence. */
  BURST;

  /** Requests that arrive together in a burst. */
  public static final int BURST_SIZE = 8;

  /** A schedule at a mean rate; equal arguments give equal schedules. */
  public Arrivals schedule(int requests, double perSecond, long seed) {
    return switch (this) {
      case POISSON -> Arrivals.poisson(requests, perSecond, seed);
      case CONSTANT -> Arrivals.constant(requests, perSecond);
      case BURST -> Arrivals.burst(requests, perSecond, BURST_SIZE);
    };
  }
}
