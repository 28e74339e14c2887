package dev.millrace.engine.hub;

import java.time.Duration;
import java.util.Optional;

/**
 * How failed requests are repeated: after a pause that doubles, or the one that the server asks
 * for.
 *
 * @param repeats how often in a row without any progress
 * @param first the first pause
 * @param longest the longest pause that a server may ask for
 */
record Backoff(int repeats, Duration first, Duration longest) {
  static final Backoff USUAL = new Backoff(5, Duration.ofSeconds(1), Duration.ofMinutes(5));

  /** For what need not succeed. */
  Backoff once() {
    return new Backoff(0, first, longest);
  }

  /**
   * The pause before a repeat, with some chance in it, so that clients do not come back in step.
   *
   * @param failures how many there were in a row, from 1
   * @param chance from 0 to 1
   */
  Duration pause(int failures, Optional<Duration> asked, double chance) {
    Duration own = first.multipliedBy(1L << Math.min(failures - 1, 10));
    long nanos = (long) (own.toNanos() * (0.75 + 0.5 * chance));
    Duration pause = asked.orElse(Duration.ZERO);
    return pause.toNanos() > nanos ? pause : Duration.ofNanos(nanos);
  }
}
