package dev.millrace.compare;

import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.Pace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Searches the most users of a closed loop that are served within the limits: 1, 2, 4 and so on, in
 * turns, each contender until it fails or its time is up.
 */
final class UserLadder {
  private static final int FEWEST_CALLS = 8;

  private final Lanes lanes;
  private final CompareSettings settings;
  private final Sizing sizing;

  UserLadder(Lanes lanes, CompareSettings settings, Sizing sizing) {
    this.lanes = lanes;
    this.settings = settings;
    this.sizing = sizing;
  }

  List<Run> climb(List<CompletionCall> calls) {
    var runs = new ArrayList<Run>();
    var left = new HashMap<Contender, Double>();
    settings.contenders().forEach(contender -> left.put(contender, sizing.ladderSeconds()));
    for (int users = 1; users <= settings.mostUsers() && !left.isEmpty(); users *= 2) {
      for (var contender : settings.contenders()) {
        if (left.containsKey(contender)) {
          var run = step(contender, users, calls);
          runs.add(run);
          account(run, left);
        }
      }
    }
    return runs;
  }

  /** Everybody asks twice, so that half of the requests meet a full house. */
  private Run step(Contender contender, int users, List<CompletionCall> calls) {
    int count = Math.max(2 * users, FEWEST_CALLS);
    var cycle = new ArrayList<CompletionCall>(count);
    for (int i = 0; i < count; i++) {
      cycle.add(calls.get(i % calls.size()));
    }
    var pace = new Pace.ClosedLoop(users);
    return lanes.measured(contender, Run.Kind.USERS, 1, cycle, pace, calls.size());
  }

  /** Takes a contender out that has failed or has no time for the next step, twice this one. */
  private static void account(Run run, Map<Contender, Double> left) {
    double took = run.result().wallNanos() / 1e9;
    double rest = left.getOrDefault(run.contender(), 0.0) - took;
    left.put(run.contender(), rest);
    if (!Column.served(run) || rest < took) {
      left.remove(run.contender());
    }
  }
}
