package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.Usage;

/** What all answers to one request used together. A prompt counts once, however many answers. */
final class UsageCount {
  private final int promptTokens;
  private final int answersPerPrompt;
  private final boolean promptOnly;
  private int cachedTokens;
  private int completionTokens;

  UsageCount(int promptTokens, int answersPerPrompt, boolean promptOnly) {
    this.promptTokens = promptTokens;
    this.answersPerPrompt = answersPerPrompt;
    this.promptOnly = promptOnly;
  }

  /** Tokens of an answer that is still being made. */
  void running(int tokens) {
    completionTokens += tokens;
  }

  /** An answer ended, of whose tokens so many were counted while it ran. */
  void finished(int index, Usage usage, int counted) {
    completionTokens += promptOnly ? 0 : usage.completionTokens() - counted;
    if (index % answersPerPrompt == 0) {
      cachedTokens += usage.cachedTokens();
    }
  }

  ObjectNode json() {
    var json =
        JsonNodeFactory.instance
            .objectNode()
            .put("prompt_tokens", promptTokens)
            .put("completion_tokens", completionTokens)
            .put("total_tokens", promptTokens + completionTokens);
    json.putObject("prompt_tokens_details").put("cached_tokens", cachedTokens);
    return json;
  }
}
