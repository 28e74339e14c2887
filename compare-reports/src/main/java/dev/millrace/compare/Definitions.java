package dev.millrace.compare;

import dev.millrace.loadtest.ArrivalShape;
import dev.millrace.loadtest.CompletionCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How each figure of a report came about, in sentences. */
final class Definitions {
  private Definitions() {}

  static List<String> of(CompareSettings settings, Contest contest) {
    var all = new ArrayList<String>();
    all.add(workload(settings, contest));
    all.add(
        ("Throughput: closed loop, %d users (2 x max-num-seqs unless asked otherwise), %d requests;"
                + " output tokens of complete answers per second from the first scheduled time to"
                + " the last end.")
            .formatted(settings.users(), contest.calls().size()));
    all.add(
        String.format(
            Locale.ROOT,
            "Latencies: open loop, %s, %.2f requests/s: %.0f %% of the median capacity of %s, the"
                + " same times for each column, counted from the scheduled time.",
            arrivals(settings.arrivals()),
            contest.openRate(),
            100 * Comparison.OPEN_LOOP_LOAD,
            contest.baseline().name()));
    all.add(
        "TTFT: to the first event with text. TPOT: first to last text over output tokens less one;"
            + " 0 where all text comes at once. ITL: between events with text. End to end: to"
            + " [DONE]. No request is repeated; failed ones have no latency and count as errors.");
    all.add(
        String.format(
            Locale.ROOT,
            "Users served: most users of a closed loop out of 1, 2, 4 to %d with P99 TTFT up to"
                + " %.0f s, P99 TPOT up to %.0f ms and no failure, each asking at least twice.",
            settings.mostUsers(),
            Column.TTFT_LIMIT / 1e3,
            Column.TPOT_LIMIT));
    all.add(
        "Memory: the server's peak resident set within the runs of a column, mapped weights"
            + " included; unknown for peers. KV blocks: used ones hold keys and values, reserved"
            + " ones are what running sequences would hold at their longest; looked at four times a"
            + " second.");
    all.add(
        ("Runs take turns on one server process without prefix cache; %d of a kind; figures are"
                + " medians, in brackets the least and the greatest. The server runs at a lower"
                + " priority than the load generator (nice 19) and, unless asked otherwise, leaves a core to it;"
                + " peers run as they were started.")
            .formatted(settings.repetitions()));
    all.add(
        ("Answers are greedy: %d calls were also sent alone; %,d answers under load were compared"
                + " with those, or with the first run's.")
            .formatted(contest.alone(), contest.compared()));
    if (contest.columns().size() > 1) {
      all.add(
          ("Ratios are turned so that more than 1 is better. Lock-step bound: longest over mean"
                  + " output of batches of %d in order: the gain over full batches in lock-step if a"
                  + " step took the same time however many rows it has. Waiting times have none.")
              .formatted(settings.maxNumSeqs()));
    }
    return all;
  }

  private static String arrivals(ArrivalShape shape) {
    return switch (shape) {
      case POISSON -> "Poisson arrivals";
      case CONSTANT -> "evenly spaced arrivals";
      case BURST -> "arrivals in groups of " + ArrivalShape.BURST_SIZE;
    };
  }

  private static String workload(CompareSettings settings, Contest contest) {
    var prompts = contest.calls().stream().mapToInt(call -> call.prompt().length);
    var outputs = contest.calls().stream().mapToInt(CompletionCall::outputTokens);
    var prompt = prompts.summaryStatistics();
    var output = outputs.summaryStatistics();
    return String.format(
        Locale.ROOT,
        "Lengths: %s; prompts of %d to %d tokens, mean %.1f; outputs of %d to %d, mean %.1f; seed"
            + " %d.",
        settings.lengths(),
        prompt.getMin(),
        prompt.getMax(),
        prompt.getAverage(),
        output.getMin(),
        output.getMax(),
        output.getAverage(),
        settings.seed());
  }
}
