package dev.millrace.server.models;

import java.time.Duration;

/** Says when it is time for another line. Any thread. */
final class Pace {
  private static final long NANOS = Duration.ofSeconds(5).toNanos();

  private boolean running;
  private long next;

  /** Whether a line is due: not at once, and never in haste. */
  synchronized boolean isDue() {
    long now = System.nanoTime();
    boolean due = running && now - next >= 0;
    if (due || !running) {
      next = now + NANOS;
      running = true;
    }
    return due;
  }

  /** What comes next begins anew. */
  synchronized void stop() {
    running = false;
  }
}
