package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * The door of the engine: bounds what waits, by requests and by prompt tokens, and counts what is
 * inside. Any thread.
 */
final class Admission {
  private final EngineSettings settings;
  private boolean open = true;
  private int queuedRequests;
  private int queuedTokens;
  private int inside;

  Admission(EngineSettings settings) {
    this.settings = settings;
  }

  /**
   * Lets the answers to one prompt in, all or none.
   *
   * @throws InferenceException {@code UNAVAILABLE} if the door is shut, {@code QUEUE_FULL} if too
   *     much waits
   */
  synchronized void enter(int answers, int promptTokens) {
    if (!open) {
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the server is shutting down");
    }
    if (queuedRequests + answers > settings.maxQueuedRequests()) {
      throw full(
          "%d requests wait, this is %d more, the limit is %d"
              .formatted(queuedRequests, answers, settings.maxQueuedRequests()));
    }
    int tokens = answers * promptTokens;
    // an empty queue takes any prompt, or one longer than the limit could never be served
    if (queuedTokens > 0 && queuedTokens + tokens > settings.maxQueuedTokens()) {
      throw full(
          "%d prompt tokens wait, this request has %d, the limit is %d"
              .formatted(queuedTokens, tokens, settings.maxQueuedTokens()));
    }
    queuedRequests += answers;
    queuedTokens += tokens;
    inside += answers;
  }

  /** One answer stops waiting, because it runs or because it is over. */
  synchronized void leaveQueue(int promptTokens) {
    queuedRequests--;
    queuedTokens -= promptTokens;
  }

  /** One answer is over. */
  synchronized void leave() {
    inside--;
  }

  /** Lets nobody in any more. */
  synchronized void shut() {
    open = false;
  }

  synchronized boolean isOpen() {
    return open;
  }

  /** Requests inside. */
  synchronized int inside() {
    return inside;
  }

  private static InferenceException full(String why) {
    return new InferenceException(ErrorCode.QUEUE_FULL, why + "; try again later");
  }
}
