package dev.millrace.engine;

/** Why an answer ended. */
public enum FinishReason {
  /** A stop string or a stop token. */
  STOP,
  /** The longest length, of the request or of the model's context. */
  LENGTH
}
