package dev.millrace.engine;

/**
 * What a request used.
 *
 * @param promptTokens tokens of the prompt
 * @param completionTokens tokens sampled, those without text included
 * @param cachedTokens tokens of the prompt that were found in the prefix cache
 */
public record Usage(int promptTokens, int completionTokens, int cachedTokens) {
  public int totalTokens() {
    return promptTokens + completionTokens;
  }
}
