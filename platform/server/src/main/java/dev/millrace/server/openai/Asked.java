package dev.millrace.server.openai;

import dev.millrace.engine.FinishReason;
import dev.millrace.engine.sample.SampledToken;
import java.util.ArrayList;
import java.util.List;

/** What one HTTP request asked for, and how its answers are written. */
record Asked(List<Prompt> prompts, Generation generation, AnswerFormat format, UsageCount usage) {
  Asked {
    prompts = List.copyOf(prompts);
  }

  /** Whether the prompt itself is the answer, and the token that follows it is dropped. */
  boolean promptOnly() {
    return generation.promptOnly();
  }

  FinishReason reason(FinishReason found) {
    return promptOnly() ? FinishReason.LENGTH : found;
  }

  /** The first token of an answer's prompt, to which log-probabilities of the others are added. */
  List<SampledToken> promptSoFar(int index) {
    var tokens = new ArrayList<SampledToken>();
    if (generation.promptLogprobs() >= 0) {
      tokens.add(SampledToken.unrated(prompts.get(index / generation.n()).ids()[0]));
    }
    return tokens;
  }
}
