package dev.millrace.engine.sample;

import java.util.List;

/**
 * A token that was chosen.
 *
 * @param logprob natural logarithm of its probability under the model, before temperature and cuts;
 *     NaN where log-probabilities were not asked for
 * @param rank of its probability under the model; 1: the likeliest; 0 where log-probabilities were
 *     not asked for
 * @param top the likeliest tokens, best first, as many as were asked for
 */
public record SampledToken(int id, float logprob, int rank, List<Alternative> top) {
  public SampledToken {
    top = List.copyOf(top);
  }

  /** A token that nothing is known of but its id. */
  public static SampledToken unrated(int id) {
    return new SampledToken(id, Float.NaN, 0, List.of());
  }

  /** One of the likeliest tokens. */
  public record Alternative(int id, float logprob) {}
}
