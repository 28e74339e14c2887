package dev.millrace.engine.sample;

import dev.millrace.engine.schedule.Sequence;

/** Changes logits by what the sequence already holds, and by the request's bias. */
final class Penalties {
  private final int[] inAnswer;
  private final boolean[] seen;

  Penalties(int vocabulary) {
    inAnswer = new int[vocabulary];
    seen = new boolean[vocabulary];
  }

  void apply(float[] logits, SamplingParams params, Sequence sequence) {
    count(sequence);
    for (int i = 0; i < sequence.total(); i++) {
      int token = sequence.token(i);
      if (seen[token]) {
        seen[token] = false; // each token once
        logits[token] = penalised(logits[token], params, inAnswer[token]);
        inAnswer[token] = 0;
      }
    }
    params.logitBias().forEach((token, bias) -> logits[token] += bias.floatValue());
  }

  private void count(Sequence sequence) {
    for (int i = 0; i < sequence.total(); i++) {
      seen[sequence.token(i)] = true;
      if (i >= sequence.promptLength()) {
        inAnswer[sequence.token(i)]++;
      }
    }
  }

  private static float penalised(float logit, SamplingParams params, int count) {
    double repeated =
        logit > 0 ? logit / params.repetitionPenalty() : logit * params.repetitionPenalty();
    double presence = count > 0 ? params.presencePenalty() : 0;
    return (float) (repeated - presence - count * params.frequencyPenalty());
  }
}
