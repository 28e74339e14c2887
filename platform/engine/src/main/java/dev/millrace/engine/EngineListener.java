package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import java.time.Duration;

/**
 * Hears what the engine measures. Called on the engine's threads; must return at once and never
 * throw.
 */
public interface EngineListener {
  /** A listener that ignores everything. */
  EngineListener NONE = new EngineListener() {};

  /** A step ran: tokens computed of prompts, and tokens sampled. */
  default void stepped(int promptTokens, int sampledTokens) {}

  /** A request left the queue for the first time, after waiting so long. */
  default void admitted(Duration queued) {}

  /**
   * A prompt began to be computed.
   *
   * @param promptTokens its tokens
   * @param cachedTokens those of them that were found in the prefix cache
   */
  default void prefixLookup(int promptTokens, int cachedTokens) {}

  /** A request's first token was sampled, so long after it was submitted. */
  default void firstToken(Duration sinceSubmit) {}

  /** A token after the first was sampled, so long after the one before. */
  default void nextToken(Duration sinceLast) {}

  /** A sequence lost its blocks. */
  default void preempted() {}

  /** A request was answered in full. */
  default void finished(FinishReason reason, Usage usage, Duration sinceSubmit) {}

  /** A request ended without an answer: cancelled, timed out or failed. */
  default void failed(ErrorCode code) {}
}
