package dev.millrace.server.models;

import java.time.Duration;

/** Says when it is time for another line. Any thread. */
final class Pace {
  private static final long NANOS = Duration.ofSeconds(5).toNanos();

  private long next = System.nanoTime() + NANOS;

  synchronized boolean isDue() {
    long now = System.nanoTime();
    if (now - next < 0) {
      return false;
    }
    next = now + NANOS;
    return true;
  }
}
