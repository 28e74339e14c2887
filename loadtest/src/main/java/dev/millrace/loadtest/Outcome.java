package dev.millrace.loadtest;

/** How one request ended; all times are {@link System#nanoTime} stamps. */
sealed interface Outcome {
  long scheduled();

  long sent();

  long ended();

  /**
   * A complete answer with the asked number of tokens. {@code firstContent} and {@code lastContent}
   * stamp the first and last event with text, {@code gaps} the time between neighbouring ones,
   * {@code ended} the closing {@code [DONE]}; {@code text} is the whole answer.
   */
  record Completed(
      long scheduled,
      long sent,
      long firstContent,
      long lastContent,
      long ended,
      long[] gaps,
      int promptTokens,
      int outputTokens,
      String text)
      implements Outcome {}

  /** No usable answer. */
  record Failed(long scheduled, long sent, long ended, FailureKind kind, String message)
      implements Outcome {}
}
