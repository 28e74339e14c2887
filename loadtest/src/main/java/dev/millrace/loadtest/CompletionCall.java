package dev.millrace.loadtest;

/**
 * One request of a workload: the prompt's token ids and the exact number of tokens to generate. The
 * array is shared, not copied, and must not be changed.
 */
public record CompletionCall(int[] prompt, int outputTokens) {
  public CompletionCall {
    if (prompt.length == 0 || outputTokens < 1) {
      throw new IllegalArgumentException(
          "a call needs at least one prompt token and one output token, not "
              + prompt.length
              + " and "
              + outputTokens);
    }
  }
}
