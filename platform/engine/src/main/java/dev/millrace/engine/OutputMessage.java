package dev.millrace.engine;

import dev.millrace.engine.sample.SampledToken;
import dev.millrace.spi.InferenceException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the engine thread tells the output thread about one request. */
sealed interface OutputMessage {
  Generation generation();

  /** A token was sampled; {@code reason} is set if it is the last. */
  record Sampled(Generation generation, SampledToken token, @Nullable FinishReason reason)
      implements OutputMessage {}

  /** Log-probabilities of prompt tokens. */
  record Prompt(Generation generation, List<SampledToken> tokens) implements OutputMessage {
    public Prompt {
      tokens = List.copyOf(tokens);
    }
  }

  /** The request ended without an answer. */
  record Failed(Generation generation, InferenceException error) implements OutputMessage {}
}
