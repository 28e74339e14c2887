package dev.millrace.compare.cpu;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What the steps of a model have to multiply and to read, as {@code bench --turns} says it.
 *
 * @param bodyWeights that every token is multiplied with
 * @param headWeights that a token is multiplied with when the next one is wanted
 * @param readBytes that a step reads of the weights as Millrace keeps them
 * @param tableBytes of the token table, of which a step reads a few rows
 * @param cacheNumbers keys and values that a token leaves
 * @param attentionOperations of a token with one position of its context
 */
record Work(
    long bodyWeights,
    long headWeights,
    long readBytes,
    long tableBytes,
    long cacheNumbers,
    long attentionOperations) {

  static Work of(JsonNode json) {
    return new Work(
        json.path("bodyWeights").asLong(),
        json.path("headWeights").asLong(),
        json.path("readBytes").asLong(),
        json.path("tableBytes").asLong(),
        json.path("cacheNumbers").asLong(),
        json.path("attentionOperations").asLong());
  }

  /** Operations of a token at a position of its context that needs a next one. */
  double operations(double position) {
    return 2.0 * (bodyWeights + headWeights) + attentionOperations * position;
  }

  /** Operations of a prompt: each token attends to those before it; one next token is wanted. */
  double promptOperations(long tokens) {
    return 2.0 * bodyWeights * tokens
        + 2.0 * headWeights
        + attentionOperations * (tokens * (tokens + 1) / 2.0);
  }
}
