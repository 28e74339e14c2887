package dev.millrace.server.quality;

/**
 * A text to be read.
 *
 * @param tokens their ids, two at least
 * @param first position that counts: what is expected after it, and after those behind it
 */
record Text(int[] tokens, int first) {
  /** How many positions count: after the last token, what comes is not known. */
  int positions() {
    return tokens.length - 1 - first;
  }

  boolean counts(int position) {
    return position >= first && position + 1 < tokens.length;
  }
}
