package dev.millrace.loadtest;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The recipe for a list of calls; equal recipes give equal calls. Lengths are in tokens; a call
 * whose prompt and output together pass {@code contextLimit} is cut to fit.
 */
public record Workload(
    LengthShape shape,
    int requests,
    int meanPromptTokens,
    int meanOutputTokens,
    int contextLimit,
    long seed) {
  /** Ids that every vocabulary has and that are seldom special: above the usual control tokens. */
  private static final int LOWEST_ID = 16;

  private static final int HIGHEST_ID = 256;

  public Workload {
    if (requests < 1 || meanPromptTokens < 1 || meanOutputTokens < 1) {
      throw new IllegalArgumentException(
          "requests, prompt tokens and output tokens must be above zero, not "
              + requests
              + ", "
              + meanPromptTokens
              + " and "
              + meanOutputTokens);
    }
    if (contextLimit < 2) {
      throw new IllegalArgumentException(
          "a context of " + contextLimit + " tokens has no room for a prompt and an answer");
    }
  }

  /** Draws the calls. Prompts are random ids, so no two share a prefix worth caching. */
  public List<CompletionCall> calls() {
    var random = new SplittableRandom(seed);
    var calls = new ArrayList<CompletionCall>(requests);
    for (int i = 0; i < requests; i++) {
      int prompt = shape.prompt(meanPromptTokens, random);
      int output = Math.min(shape.output(meanOutputTokens, random), contextLimit / 2);
      prompt = Math.min(prompt, contextLimit - output);
      calls.add(new CompletionCall(random.ints(prompt, LOWEST_ID, HIGHEST_ID).toArray(), output));
    }
    return List.copyOf(calls);
  }
}
