package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;

/**
 * On which terms a request is served beside others. None of them changes its answer.
 *
 * @param priority lower runs first, under schedulers that heed it
 * @param tenant who pays for it; empty: unknown
 * @param cacheSalt only requests of the same salt share cached prefixes
 * @param queueTimeout longest wait before its first step
 * @param timeout longest time in queue and in work together
 */
public record RequestTerms(
    int priority, String tenant, String cacheSalt, Duration queueTimeout, Duration timeout) {

  /** Longer than any request runs. */
  public static final Duration NO_TIMEOUT = Duration.ofDays(365);

  /** No priority, no tenant, no salt, no time limits. */
  public static final RequestTerms USUAL = new RequestTerms(0, "", "", NO_TIMEOUT, NO_TIMEOUT);

  private static final long NEVER = Long.MAX_VALUE;

  public RequestTerms {
    check("queue timeout", queueTimeout);
    check("timeout", timeout);
  }

  /** When a request must be finished that came at this time. */
  long deadline(long arrivalNanos) {
    return later(arrivalNanos, timeout);
  }

  /** When it must have had its first step, or be finished, whichever comes first. */
  long queueDeadline(long arrivalNanos, long deadlineNanos) {
    long queue = later(arrivalNanos, queueTimeout);
    if (queue == NEVER || deadlineNanos == NEVER) {
      return Math.min(queue, deadlineNanos);
    }
    return queue - deadlineNanos < 0 ? queue : deadlineNanos; // the clock may be negative
  }

  private static long later(long nanos, Duration duration) {
    return duration.equals(NO_TIMEOUT) ? NEVER : nanos + duration.toNanos();
  }

  private static void check(String name, Duration duration) {
    if (duration.isNegative() || duration.compareTo(NO_TIMEOUT) > 0) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          "the %s is %s, it must be 0 to %s".formatted(name, duration, NO_TIMEOUT));
    }
  }
}
