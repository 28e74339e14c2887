package dev.millrace.server.openai;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Waits for events, and looks now and then whether anybody still wants them. */
final class AnswerReader implements AutoCloseable {
  /** How soon a client that left is noticed. */
  private static final Duration TICK = Duration.ofMillis(200);

  private final Answers answers;
  private final ClientWatch client;

  AnswerReader(Answers answers, ClientWatch client) {
    this.answers = answers;
    this.client = client;
  }

  int size() {
    return answers.size();
  }

  /** Waits for the next event. */
  Answers.Event next() {
    while (true) {
      var event = next(Duration.ofDays(1));
      if (event != null) {
        return event;
      }
    }
  }

  /**
   * Waits so long for the next event; null if none came.
   *
   * @throws InferenceException {@code CANCELLED} if the client has left
   */
  Answers.@Nullable Event next(Duration atMost) {
    long ticks = Math.max(1, atMost.dividedBy(TICK));
    try {
      for (long i = 0; i < ticks; i++) {
        var event = answers.next(TICK);
        if (event != null) {
          return event;
        }
        if (client.gone()) {
          throw new InferenceException(ErrorCode.CANCELLED, "the client has left");
        }
      }
      return null;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the server is shutting down");
    }
  }

  @Override
  public void close() {
    answers.close();
  }
}
