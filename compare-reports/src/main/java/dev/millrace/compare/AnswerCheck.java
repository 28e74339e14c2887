package dev.millrace.compare;

import dev.millrace.loadtest.LoadResult;
import java.util.HashMap;
import java.util.Map;

/**
 * What greedy answers have to be: those given to single requests, and for calls that were not sent
 * alone the first answer of any run. One for each program under test.
 */
final class AnswerCheck {
  private final Map<Integer, String> expected = new HashMap<>();
  private int alone;
  private long compared;

  /** Takes the answers of a run that sent one request at a time. */
  void learn(LoadResult single) {
    expected.putAll(single.texts());
    alone = expected.size();
  }

  /**
   * Compares a run's answers and returns how many differ. The run's calls are the first {@code
   * calls} ones, over and over.
   */
  int differences(LoadResult result, int calls) {
    int wrong = 0;
    for (var answer : result.texts().entrySet()) {
      String before = expected.putIfAbsent(answer.getKey() % calls, answer.getValue());
      if (before != null) {
        compared++;
        wrong += before.equals(answer.getValue()) ? 0 : 1;
      }
    }
    return wrong;
  }

  /** Calls whose answer to a single request is known. */
  int alone() {
    return alone;
  }

  /** Answers that were compared so far. */
  long compared() {
    return compared;
  }
}
