package dev.millrace.compare;

import dev.millrace.loadtest.LoadResult;
import java.util.List;

/**
 * How the time of a comparison is shared out: a twentieth to warm up each contender, a quarter to
 * the search for the users served, three fifths to the measured runs.
 *
 * @param seconds for everything after the server's start
 */
record Sizing(double seconds, int contenders, int repetitions) {
  private static final int MOST_REQUESTS = 2_000;

  /** Requests that make a warm-up, at the speed of one that was shorter. */
  int warmUp(LoadResult probe) {
    return bounded(seconds / 20 * probe.requestsPerSecond(), 0);
  }

  /** Requests of each measured run, from the warm-ups of all contenders, the baseline first. */
  int measured(List<LoadResult> warmUps, int least) {
    double perRequest = 0;
    for (var warmUp : warmUps) {
      perRequest += 1 / warmUp.requestsPerSecond();
      perRequest += 1 / (Comparison.OPEN_LOOP_LOAD * warmUps.getFirst().requestsPerSecond());
    }
    return bounded(seconds * 0.6 / (perRequest * repetitions), least);
  }

  /** Seconds that each contender may take for the users served. */
  double ladderSeconds() {
    return seconds / 4 / contenders;
  }

  private static int bounded(double requests, int least) {
    return (int) Math.clamp(requests, least, Math.max(least, MOST_REQUESTS));
  }
}
