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
  RequestTerms limit(RequestTerms asked) {
    return new RequestTerms(
        asked.priority(),
        asked.tenant(),
        asked.cacheSalt(),
        shorter(queue, asked.queueTimeout()),
        shorter(request, asked.timeout()));
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) <= 0 ? one : other;
  }
}
