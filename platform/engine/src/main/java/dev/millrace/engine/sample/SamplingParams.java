package dev.millrace.engine.sample;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Map;

/**
 * How tokens are chosen. A token's logit is first changed by penalties and bias, then divided by
 * the temperature; then top-k, top-p and min-p cut the distribution, in this order.
 *
 * @param temperature 0: always the likeliest token
 * @param topK keeps the k likeliest tokens; 0: all
 * @param topP keeps the smallest set of tokens whose probabilities add up to this; 1: all
 * @param minP drops tokens less likely than this times the likeliest; 0: none
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens seen in prompt
 *     or answer; 1: none
 * @param presencePenalty subtracted once from the logit of each token of the answer
 * @param frequencyPenalty subtracted from it once for each occurrence in the answer
 * @param logitBias added to the logits of these token ids
 * @param seed of the request's own stream of random numbers, which depends on nothing else
 */
public record SamplingParams(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    double presencePenalty,
    double frequencyPenalty,
    Map<Integer, Double> logitBias,
    long seed) {

  public SamplingParams {
    check("temperature", temperature, temperature >= 0 && temperature <= 100, "0 to 100");
    check("top_k", topK, topK >= 0, "0 (all) or more");
    check("top_p", topP, topP > 0 && topP <= 1, "above 0, at most 1");
    check("min_p", minP, minP >= 0 && minP <= 1, "0 to 1");
    check(
        "repetition_penalty",
        repetitionPenalty,
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "above 0, at most 100");
    check("presence_penalty", presencePenalty, Math.abs(presencePenalty) <= 2, "-2 to 2");
    check("frequency_penalty", frequencyPenalty, Math.abs(frequencyPenalty) <= 2, "-2 to 2");
    logitBias = Map.copyOf(logitBias);
  }

  /** Always the likeliest token. */
  public static SamplingParams greedy() {
    return new SamplingParams(0, 0, 1, 0, 1, 0, 0, Map.of(), 0);
  }

  /** The same choices from another stream of random numbers. */
  public SamplingParams withSeed(long other) {
    return new SamplingParams(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        presencePenalty,
        frequencyPenalty,
        logitBias,
        other);
  }

  /** True if no logit is changed before a token is chosen. */
  public boolean leavesLogitsAlone() {
    return repetitionPenalty == 1
        && presencePenalty == 0
        && frequencyPenalty == 0
        && logitBias.isEmpty();
  }

  private static void check(String name, Number value, boolean ok, String range) {
    if (!ok) { // also refuses NaN
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, name + " is " + value + ", it must be " + range);
    }
  }
}
