package dev.millrace.server.openai;

import dev.millrace.engine.RequestTerms;
import java.time.Duration;

/**
 * How long requests may take at most; one that asks for less gets less.
 *
 * @param queue until the first step
 * @param request until the end
 */
public record Timeouts(Duration queue, Duration request) {
  /** No limits. */
  public static final Timeouts NONE =
      new Timeouts(RequestTerms.NO_TIMEOUT, RequestTerms.NO_TIMEOUT);

  Timeouts atMost(Timeouts other) {
    return new Timeouts(shorter(queue, other.queue), shorter(request, other.request));
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) <= 0 ? one : other;
  }
}
