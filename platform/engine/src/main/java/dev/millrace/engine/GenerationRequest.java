package dev.millrace.engine;

import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * One prompt to be continued.
 *
 * @param id chosen by the caller, for logs
 * @param prompt token ids, at least one
 * @param maxTokens longest answer, at least 1
 * @param sampling how tokens are chosen
 * @param stop what ends the answer early
 * @param logprobs which log-probabilities are reported
 * @param terms priority, tenant, time limits
 */
public record GenerationRequest(
    String id,
    int[] prompt,
    int maxTokens,
    SamplingParams sampling,
    StopConditions stop,
    Logprobs logprobs,
    RequestTerms terms) {

  public GenerationRequest {
    if (prompt.length == 0) {
      throw new InferenceException(ErrorCode.INVALID_REQUEST, "the prompt has no tokens");
    }
    if (maxTokens < 1) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "max_tokens is " + maxTokens + ", it must be at least 1");
    }
    prompt = prompt.clone();
  }

  /** A request on the usual terms, without log-probabilities. */
  public static GenerationRequest of(
      String id, int[] prompt, int maxTokens, SamplingParams sampling, StopConditions stop) {
    return new GenerationRequest(
        id, prompt, maxTokens, sampling, stop, Logprobs.NONE, RequestTerms.USUAL);
  }

  /** The same request with other log-probabilities. */
  public GenerationRequest with(Logprobs other) {
    return new GenerationRequest(id, prompt, maxTokens, sampling, stop, other, terms);
  }

  /** The same request on other terms. */
  public GenerationRequest with(RequestTerms other) {
    return new GenerationRequest(id, prompt, maxTokens, sampling, stop, logprobs, other);
  }

  /** Answer number {@code k} of several to the same prompt: its own id and its own seed. */
  GenerationRequest answer(int k) {
    return k == 0
        ? this
        : new GenerationRequest(
            id + "-" + k,
            prompt,
            maxTokens,
            sampling.withSeed(sampling.seed() + k),
            stop,
            logprobs,
            terms);
  }
}
