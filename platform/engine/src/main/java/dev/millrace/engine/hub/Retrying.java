package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Repeats requests that failed.
 *
 * @param notes hears of each failure that is tried again
 */
record Retrying(Backoff backoff, Consumer<String> notes) {

  /** One try. */
  interface Attempt<T> {
    /**
     * Tries.
     *
     * @throws IOException if it is worth another try
     * @throws InferenceException if not
     */
    T run() throws IOException, InterruptedException;
  }

  /** Repeats what makes no progress until it succeeds. */
  <T> T run(String what, Attempt<T> attempt) throws InterruptedException {
    return run(what, attempt, () -> 0);
  }

  /**
   * Repeats until it succeeds.
   *
   * @param what is asked for, as messages call it
   * @param progress as long as this grows, the tries are not counted
   * @throws InferenceException {@code HUB_UNAVAILABLE} after the last failure
   */
  <T> T run(String what, Attempt<T> attempt, LongSupplier progress) throws InterruptedException {
    int failures = 0;
    while (true) {
      long before = progress.getAsLong();
      try {
        return attempt.run();
      } catch (IOException e) {
        failures = progress.getAsLong() > before ? 1 : failures + 1;
        var asked =
            e instanceof TransientFailure passing
                ? passing.retryAfter()
                : Optional.<Duration>empty();
        if (failures > backoff.repeats()) {
          throw new InferenceException(
              ErrorCode.HUB_UNAVAILABLE, what + ": " + reason(e) + tries(failures), e);
        }
        if (asked.isPresent() && asked.get().compareTo(backoff.longest()) > 0) {
          throw new InferenceException(
              ErrorCode.HUB_UNAVAILABLE,
              "%s: %s, and wants %d s without another request; try again then"
                  .formatted(what, reason(e), asked.get().toSeconds()),
              e);
        }
        var pause = backoff.pause(failures, asked, ThreadLocalRandom.current().nextDouble());
        notes.accept(
            "%s: %s; trying again in %.1f s".formatted(what, reason(e), pause.toMillis() / 1e3));
        Thread.sleep(pause);
      }
    }
  }

  private static String tries(int failures) {
    return failures == 1 ? "" : " (%d times in a row)".formatted(failures);
  }

  /** The network's exceptions often say nothing but their class. */
  static String reason(Throwable e) {
    String message = e.getMessage();
    if (e instanceof TransientFailure && message != null) {
      return message;
    }
    String name =
        e.getClass()
            .getSimpleName()
            .replaceAll("(?<=[a-z])(?=[A-Z])", " ")
            .replace(" Exception", "");
    return message == null ? name.toLowerCase(Locale.ROOT) : name + ": " + message;
  }
}
