package dev.millrace.engine.sample;

import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Set;

/**
 * Chooses the next token of a sequence. Used by one thread at a time; keeps nothing between calls.
 */
public final class Sampler {
  private final Penalties penalties;
  private final Candidates candidates;

  /**
   * A sampler for rows of logits.
   *
   * @param vocabulary length of a row
   */
  public Sampler(int vocabulary) {
    penalties = new Penalties(vocabulary);
    candidates = new Candidates(vocabulary);
  }

  /**
   * Chooses a token.
   *
   * @param logits [vocabulary]; overwritten
   * @param banned tokens that may not be chosen
   * @param logprobs how many alternatives to report; −1: no log-probabilities at all
   * @throws InferenceException {@code NUMERICAL_FAILURE} if a logit is not a number, or none is
   *     left to choose
   */
  public SampledToken sample(
      float[] logits, SamplingParams params, Sequence sequence, Set<Integer> banned, int logprobs) {
    requireNumbers(logits, "");
    var model = logprobs < 0 ? null : new LogSoftmax(logits.clone());
    if (!params.leavesLogitsAlone()) {
      penalties.apply(logits, params, sequence);
      requireNumbers(logits, "after penalties and bias, ");
    }
    for (int token : banned) {
      logits[token] = Float.NEGATIVE_INFINITY;
    }
    int token = choose(logits, params, sequence.total() - sequence.promptLength());
    return model == null ? SampledToken.unrated(token) : model.rated(token, logprobs);
  }

  /**
   * Chooses a token where nothing else is asked for.
   *
   * @param logits [vocabulary]
   * @param params that leave logits alone
   * @param index of the token among those of its answer, from 0
   * @throws InferenceException {@code NUMERICAL_FAILURE} if a logit is not a number, or none is
   *     left to choose
   */
  public int draw(float[] logits, SamplingParams params, int index) {
    requireNumbers(logits, "");
    return choose(logits, params, index);
  }

  /**
   * The log-probability of a token that was not chosen but given.
   *
   * @param logits [vocabulary]
   * @param alternatives how many of the likeliest tokens to report beside it
   * @throws InferenceException {@code NUMERICAL_FAILURE} if a logit is not a number
   */
  public SampledToken report(float[] logits, int token, int alternatives) {
    requireNumbers(logits, "");
    var model = new LogSoftmax(logits);
    return model.rated(token, alternatives);
  }

  private int choose(float[] logits, SamplingParams params, int index) {
    int best = likeliest(logits);
    if (logits[best] == Float.NEGATIVE_INFINITY) {
      throw new InferenceException(
          ErrorCode.NUMERICAL_FAILURE, "no token can be chosen: the model or a ban excludes each");
    }
    if (params.temperature() == 0) {
      return best;
    }
    candidates.fill(logits, params);
    return candidates.draw(CounterRandom.uniform(params.seed(), index));
  }

  private static int likeliest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  private static void requireNumbers(float[] logits, String when) {
    for (int i = 0; i < logits.length; i++) {
      if (Float.isNaN(logits[i]) || logits[i] == Float.POSITIVE_INFINITY) {
        throw new InferenceException(
            ErrorCode.NUMERICAL_FAILURE, when + "the logit of token " + i + " is " + logits[i]);
      }
    }
  }
}
