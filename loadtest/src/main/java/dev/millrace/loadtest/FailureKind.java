package dev.millrace.loadtest;

/** Why a request did not count. */
public enum FailureKind {
  /** No connection was made. */
  CONNECT,
  /** The server answered with another status than 200. */
  STATUS,
  /** The answer broke off, was no well-formed event stream, or carried an error. */
  BROKEN_STREAM,
  /** The time limit passed before the answer was complete. */
  TIMEOUT,
  /** The answer was complete, but its token counts were missing or not what was asked. */
  WRONG_TOKEN_COUNT
}
