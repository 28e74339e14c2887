package dev.millrace.server.openai;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Waits for events, and looks now and then whether anybody still wants them. */
final class AnswerReader implements AutoCloseable {
  /** A client that left is noticed within one of these. */
  private static final Duration TICK = Duration.ofMillis(100);

  private final Answers answers;
  private final ClientWatch client;
  private long lastLook = System.nanoTime();

  AnswerReader(Answers answers, ClientWatch client) {
    this.answers = answers;
    this.client = client;
  }

  int size() {
    return answers.size();
  }

  /**
   * Waits for the next event.
   *
   * @throws InferenceException {@code CANCELLED} if the client has left
   */
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
    long end = System.nanoTime() + atMost.toNanos();
    try {
      while (true) {
        long toLook = look();
        long left = end - System.nanoTime();
        var event = answers.next(Duration.ofNanos(Math.clamp(left, 0, toLook)));
        if (event != null) {
          return event;
        }
        if (left <= toLook) {
          return null;
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the server is shutting down");
    }
  }

  /** Looks if it is time to; returns the nanoseconds to the next look. */
  private long look() {
    long now = System.nanoTime();
    if (now - lastLook >= TICK.toNanos()) {
      lastLook = now;
      if (client.gone()) {
        throw new InferenceException(ErrorCode.CANCELLED, "the client has left");
      }
    }
    return lastLook + TICK.toNanos() - now;
  }

  @Override
  public void close() {
    answers.close();
  }
}
