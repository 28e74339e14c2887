package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * Which log-probabilities a request wants. For both: how many alternatives each token reports; 0:
 * its own log-probability only; −1: nothing is reported.
 *
 * @param answer of each token of the answer
 * @param prompt of each token of the prompt after the first
 */
public record Logprobs(int answer, int prompt) {
  public static final Logprobs NONE = new Logprobs(-1, -1);

  public Logprobs {
    check("logprobs", answer);
    check("prompt_logprobs", prompt);
  }

  /** Of the answer's tokens alone. */
  public static Logprobs ofAnswer(int alternatives) {
    return new Logprobs(alternatives, -1);
  }

  private static void check(String name, int count) {
    if (count < -1) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, name + " is " + count + ", it must be 0 or more");
    }
  }
}
