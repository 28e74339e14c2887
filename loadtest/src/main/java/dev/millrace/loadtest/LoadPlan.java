package dev.millrace.loadtest;

import java.util.List;

/** One run: a name for its files, the calls in order, and when they are due. */
public record LoadPlan(String name, List<CompletionCall> calls, Pace pace) {
  public LoadPlan {
    calls = List.copyOf(calls);
    if (calls.isEmpty()) {
      throw new IllegalArgumentException("the plan " + name + " has no calls");
    }
    if (pace instanceof Pace.OpenLoop(var arrivals) && arrivals.size() != calls.size()) {
      throw new IllegalArgumentException(
          "the plan "
              + name
              + " has "
              + calls.size()
              + " calls for "
              + arrivals.size()
              + " arrivals");
    }
  }
}
