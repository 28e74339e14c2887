package dev.millrace.engine.sample;

import dev.millrace.engine.schedule.Sequence;
import java.util.Map;
import java.util.Set;

/** Shorthand for settings and sequences. */
final class Sampling {
  static final Set<Integer> NONE_BANNED = Set.of();

  private Sampling() {}

  static SamplingParams cuts(double temperature, int topK, double topP, double minP) {
    return cuts(temperature, topK, topP, minP, 0);
  }

  static SamplingParams cuts(double temperature, int topK, double topP, double minP, long seed) {
    return new SamplingParams(temperature, topK, topP, minP, 1, 0, 0, Map.of(), seed);
  }

  /** Settings of a greedy request that change logits. */
  static SamplingParams penalties(
      double repetition, double presence, double frequency, Map<Integer, Double> bias) {
    return new SamplingParams(0, 0, 1, 0, repetition, presence, frequency, bias, 0);
  }

  static Sequence prompt(int... tokens) {
    return new Sequence(1, 1, tokens, 30_000, 0, "", 0, Long.MAX_VALUE);
  }

  static Sequence answer(Sequence sequence, int... tokens) {
    for (int token : tokens) {
      sequence.append(token);
    }
    return sequence;
  }
}
