package dev.millrace.loadtest;

/** When the calls of a plan are due. */
public sealed interface Pace {
  /**
   * A fixed number of users, each sending its next call when its last one has ended: measures
   * throughput. A call is due when its user is free.
   */
  record ClosedLoop(int users) implements Pace {
    public ClosedLoop {
      if (users < 1) {
        throw new IllegalArgumentException("a closed loop needs at least one user, not " + users);
      }
    }
  }

  /** Calls at fixed times whatever the server does: measures latency. */
  record OpenLoop(Arrivals arrivals) implements Pace {}
}
