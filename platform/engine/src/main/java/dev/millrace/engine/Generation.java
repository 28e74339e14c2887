package dev.millrace.engine;

import dev.millrace.engine.schedule.Sequence;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request at work: its sequence belongs to the engine thread, its text to the output thread.
 */
final class Generation {
  final GenerationRequest request;
  final Sequence sequence;
  final TextPipeline text;
  final TokenStream stream;

  // engine thread
  boolean admitted;
  boolean over;
  long lastTokenNanos;

  // output thread
  boolean answered;
  int completionTokens;

  Generation(GenerationRequest request, Sequence sequence, TextPipeline text, TokenStream stream) {
    this.request = request;
    this.sequence = sequence;
    this.text = text;
    this.stream = stream;
  }

  /** Tokens of the answer so far. */
  int produced() {
    return sequence.total() - sequence.promptLength();
  }

  /** Why the answer ends with this token, or null if it goes on. */
  @Nullable FinishReason reasonToEnd(int token) {
    if (request.stop().tokenIds().contains(token) && produced() > request.stop().minTokens()) {
      return FinishReason.STOP;
    }
    return sequence.total() == sequence.maxTotal() ? FinishReason.LENGTH : null;
  }

  /** Stop tokens that may not be chosen yet. */
  Set<Integer> banned() {
    return produced() < request.stop().minTokens() ? request.stop().tokenIds() : Set.of();
  }
}
