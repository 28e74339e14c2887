package dev.millrace.engine.sample;

import java.util.List;

/**
 * A token that was chosen.
 *
 * @param logprob natural logarithm of its probability under the model, before temperature and cuts;
 *     NaN where log-probabilities were not asked for
 * @param top the likeliest tokens, best first, as many as were asked for
 */
public record SampledToken(int id, float logprob, List<Alternative> top) {
  public SampledToken {
    top = List.copyOf(top);
  }

  /** One of the likeliest tokens. */
  public record Alternative(int id, float logprob) {}
}
