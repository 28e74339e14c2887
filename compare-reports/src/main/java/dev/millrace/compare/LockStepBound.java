package dev.millrace.compare;

import dev.millrace.loadtest.CompletionCall;
import java.util.List;

/**
 * How much faster than full lock-step batches a scheduler can be where a step takes the same time
 * however many rows it has. A batch in lock-step holds each of its places until its longest output
 * ends, so it takes longest ÷ mean times the steps that its tokens need.
 */
final class LockStepBound {
  private LockStepBound() {}

  /** The bound over all calls, cut into full batches in their order; 1 if all are alike. */
  static double of(List<CompletionCall> calls, int batch) {
    long held = 0;
    long needed = 0;
    for (int start = 0; start < calls.size(); start += batch) {
      var members = calls.subList(start, Math.min(start + batch, calls.size()));
      long longest = members.stream().mapToLong(CompletionCall::outputTokens).max().orElseThrow();
      held += longest * members.size();
      needed += members.stream().mapToLong(CompletionCall::outputTokens).sum();
    }
    return (double) held / needed;
  }
}
