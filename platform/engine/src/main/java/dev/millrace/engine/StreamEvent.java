package dev.millrace.engine;

import dev.millrace.engine.sample.SampledToken;
import dev.millrace.spi.InferenceException;
import java.util.List;

/**
 * What a {@link TokenStream} delivers: any number of {@link Prompt} and then of {@link Tokens},
 * then exactly one {@link Finished} or {@link Failed}.
 */
public sealed interface StreamEvent {
  /**
   * Log-probabilities of the prompt's tokens from the second on, in order; in several events where
   * the prompt is computed in several steps. Only for requests that ask, before anything else.
   */
  record Prompt(List<SampledToken> tokens) implements StreamEvent {
    public Prompt {
      tokens = List.copyOf(tokens);
    }
  }

  /**
   * Tokens, and the text that became complete with them.
   *
   * @param text may be empty: half a character, or what might become a stop string, is held back
   * @param tokens may be empty at the end, when held-back text is released
   */
  record Tokens(String text, List<SampledToken> tokens) implements StreamEvent {
    public Tokens {
      tokens = List.copyOf(tokens);
    }
  }

  /** The answer is complete. */
  record Finished(FinishReason reason, Usage usage) implements StreamEvent {}

  /** The request failed; what was delivered before stands. */
  record Failed(InferenceException error) implements StreamEvent {}
}
