package dev.millrace.engine;

import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;

/**
 * One prompt to be continued.
 *
 * @param id chosen by the caller, for logs
 * @param prompt token ids, at least one
 * @param maxTokens longest answer, at least 1
 * @param sampling how tokens are chosen
 * @param stop what ends the answer early
 * @param logprobs how many alternatives each token reports; 0: its own log-probability only; −1:
 *     nothing is reported
 * @param priority lower runs first, under schedulers that heed it
 * @param tenant who pays for it; empty: unknown
 * @param timeout longest time in queue and in work together
 */
public record GenerationRequest(
    String id,
    int[] prompt,
    int maxTokens,
    SamplingParams sampling,
    StopConditions stop,
    int logprobs,
    int priority,
    String tenant,
    Duration timeout) {

  /** Longer than any request runs. */
  public static final Duration NO_TIMEOUT = Duration.ofDays(365);

  public GenerationRequest {
    if (prompt.length == 0) {
      throw new InferenceException(ErrorCode.INVALID_REQUEST, "the prompt has no tokens");
    }
    if (maxTokens < 1) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "max_tokens is " + maxTokens + ", it must be at least 1");
    }
    if (logprobs < -1) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "logprobs is " + logprobs + ", it must be 0 or more");
    }
    prompt = prompt.clone();
  }

  /** A request with the usual rest: no log-probabilities, no priority, no tenant, no time limit. */
  public static GenerationRequest of(
      String id, int[] prompt, int maxTokens, SamplingParams sampling, StopConditions stop) {
    return new GenerationRequest(id, prompt, maxTokens, sampling, stop, -1, 0, "", NO_TIMEOUT);
  }
}
