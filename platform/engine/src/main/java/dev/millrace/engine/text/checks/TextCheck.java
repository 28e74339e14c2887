package dev.millrace.engine.text.checks;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * Holds a text to what the tokenizers library can split. Its regular expressions give a match up
 * after ten million steps back, and the library then ends the process; the expressions of sound
 * tokenizers go back over runs of blanks or of letters, a step for each.
 */
public final class TextCheck {
  private static final int LONGEST_RUN = 4_000_000;

  private TextCheck() {}

  /**
   * Checks a text.
   *
   * @throws InferenceException INVALID_REQUEST if it has too long a run of white space, or of
   *     anything else
   */
  public static void check(String text) {
    if (text.length() <= LONGEST_RUN) {
      return;
    }
    int from = 0;
    for (int at = 1; at < text.length(); at++) {
      if (Character.isWhitespace(text.charAt(at)) != Character.isWhitespace(text.charAt(from))) {
        from = at;
      } else if (at - from >= LONGEST_RUN) {
        throw new InferenceException(
            ErrorCode.INVALID_REQUEST,
            "the tokenizer cannot encode this text: from character %d on, more than %d are all"
                    .formatted(from, LONGEST_RUN)
                + " white space, or none is");
      }
    }
  }
}
