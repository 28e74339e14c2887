package dev.millrace.engine.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** A request failed in a way that may pass. */
final class TransientFailure extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Optional<Duration> retryAfter;

  TransientFailure(String message) {
    this(message, Optional.empty());
  }

  TransientFailure(String message, Optional<Duration> retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }

  /** How long the server wants to be left alone, if it said so. */
  Optional<Duration> retryAfter() {
    return retryAfter;
  }
}
