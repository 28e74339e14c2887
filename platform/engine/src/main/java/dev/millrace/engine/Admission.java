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
   * Lets a request in.
   *
   * @throws InferenceException {@code UNAVAILABLE} if the door is shut, {@code QUEUE_FULL} if too
   *     much waits
   */
  synchronized void enter(int promptTokens) {
    if (!open) {
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the server is shutting down");
    }
    if (queuedRequests >= settings.maxQueuedRequests()) {
      throw full(queuedRequests + " requests wait, the limit is " + settings.maxQueuedRequests());
    }
    // an empty queue takes any prompt, or one longer than the limit could never be served
    if (queuedTokens > 0 && queuedTokens + promptTokens > settings.maxQueuedTokens()) {
      throw full(
          "%d prompt tokens wait, this request has %d, the limit is %d"
              .formatted(queuedTokens, promptTokens, settings.maxQueuedTokens()));
    }
    queuedRequests++;
    queuedTokens += promptTokens;
    inside++;
  }

  /** A request stops waiting, because it runs or because it is over. */
  synchronized void leaveQueue(int promptTokens) {
    queuedRequests--;
    queuedTokens -= promptTokens;
  }

  /** A request is over. */
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
