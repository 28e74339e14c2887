package dev.millrace.engine;

import dev.millrace.engine.schedule.Sequence;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One answer at work: its sequence belongs to the engine thread, its text to the output thread. */
final class Generation {
  final GenerationRequest request;
  final Sequence sequence;
  final TextPipeline text;
  final TokenStream stream;
  final long queueDeadlineNanos;
  private final int[] stopIds; // asked for every token

  final AnswerGroup group;

  // engine thread
  boolean admitted;
  boolean over;

  /** Tokens of the prompt that were found in the cache at its first step. */
  int cachedTokens;

  /** Rows of the prompt whose log-probabilities have been reported. */
  int promptRows;

  // output thread
  boolean answered;
  int completionTokens;
  long lastTokenNanos;

  Generation(
      GenerationRequest request,
      Sequence sequence,
      TextPipeline text,
      TokenStream stream,
      AnswerGroup group) {
    this.request = request;
    this.sequence = sequence;
    this.text = text;
    this.stream = stream;
    this.group = group;
    this.stopIds = request.stop().tokenIds().stream().mapToInt(Integer::intValue).toArray();
    this.queueDeadlineNanos =
        request.terms().queueDeadline(sequence.arrivalNanos(), sequence.deadlineNanos());
  }

  /** When it ends unless something has happened by then. */
  long deadlineNanos() {
    return admitted ? sequence.deadlineNanos() : queueDeadlineNanos;
  }

  /** Tokens of the answer so far. */
  int produced() {
    return sequence.total() - sequence.promptLength();
  }

  /** Why the answer ends with this token, or null if it goes on. */
  @Nullable FinishReason reasonToEnd(int token) {
    for (int stop : stopIds) {
      if (stop == token && produced() > request.stop().minTokens()) {
        return FinishReason.STOP;
      }
    }
    return sequence.total() == sequence.maxTotal() ? FinishReason.LENGTH : null;
  }

  /** Stop tokens that may not be chosen yet. */
  Set<Integer> banned() {
    return produced() < request.stop().minTokens() ? request.stop().tokenIds() : Set.of();
  }

  /** Whether log-probabilities of the prompt are still to be reported. */
  boolean owesPromptLogprobs() {
    return request.logprobs().prompt() >= 0 && promptRows < sequence.promptLength() - 1;
  }

  /** The first position whose logits are needed. */
  int firstPick() {
    return owesPromptLogprobs() ? promptRows : sequence.total() - 1;
  }
}
