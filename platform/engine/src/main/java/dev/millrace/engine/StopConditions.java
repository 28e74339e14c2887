package dev.millrace.engine;

import java.util.List;
import java.util.Set;

/**
 * What ends an answer before its longest length.
 *
 * @param strings texts that end it; they are not part of the answer
 * @param includeString whether the stop string is shown all the same
 * @param tokenIds tokens that end it, end-of-sequence tokens included; their text is not shown
 * @param minTokens tokens to produce before any of these may end it
 * @param skipSpecialTokens whether special tokens leave no text
 */
public record StopConditions(
    List<String> strings,
    boolean includeString,
    Set<Integer> tokenIds,
    int minTokens,
    boolean skipSpecialTokens) {

  public StopConditions {
    strings = List.copyOf(strings);
    tokenIds = Set.copyOf(tokenIds);
  }

  /** Ends at these tokens only. */
  public static StopConditions at(Set<Integer> tokenIds) {
    return new StopConditions(List.of(), false, tokenIds, 0, true);
  }
}
