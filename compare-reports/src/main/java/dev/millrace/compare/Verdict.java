package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What speaks against a comparison or fails it.
 *
 * @param broken requests that failed and answers that were wrong
 * @param unmet thresholds that were not reached
 * @param invalid runs in which the client was too late
 * @param doubts what a reader should look at, but does not fail the command
 */
record Verdict(List<String> broken, List<String> unmet, List<String> invalid, List<String> doubts) {
  /**
   * With lengths all alike, lock-step batches lose next to nothing: more is their scheduler's
   * fault.
   */
  private static final double MOST_FOR_UNIFORM = 1.2;

  /** What is allowed over the bound before it is doubted. */
  private static final double TOLERANCE = 1.05;

  static Verdict of(CompareSettings settings, Contest contest) {
    return new Verdict(
        broken(contest), unmet(settings, contest), invalid(contest), doubts(settings, contest));
  }

  private static List<String> broken(Contest contest) {
    var broken = new ArrayList<String>();
    for (var column : contest.columns()) {
      for (var run : column.runs()) {
        if (run.kind() != Run.Kind.USERS) {
          run.result()
              .failures()
              .forEach((kind, count) ->
                  broken.add(
                      "ERRORS in %s: %d x %s, for example: %s"
                          .formatted(
                              run.result().name(), count, kind, run.result().samples().get(kind))));
        }
      }
      if (column.wrongAnswers() > 0 && column.contender() instanceof Contender.Scheduler) {
        broken.add(
            "WRONG ANSWERS with %s: %d greedy answers were not those to single requests"
                .formatted(column.name(), column.wrongAnswers()));
      }
    }
    return broken;
  }

  private static List<String> unmet(CompareSettings settings, Contest contest) {
    var unmet = new ArrayList<String>();
    for (var metric : Metric.FIRST_TABLE) {
      var least = settings.required().get(metric.key());
      if (least != null) {
        double ratio = metric.ratio(contest.baseline(), candidate(settings, contest)).orElse(0);
        if (ratio < least) {
          unmet.add(
              String.format(
                  Locale.ROOT, "UNMET: %s is %.2f, required %.2f", metric.key(), ratio, least));
        }
      }
    }
    return unmet;
  }

  private static Column candidate(CompareSettings settings, Contest contest) {
    return contest.columns().stream()
        .filter(column -> column.contender().equals(settings.candidate()))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> invalid(Contest contest) {
    return contest.columns().stream()
        .flatMap(column -> column.invalid().stream())
        .map(run ->
            String.format(
                Locale.ROOT,
                "INVALID: in %s the load generator was late by %.2f ms (P99), over a tenth of the"
                    + " median TTFT, %.2f ms",
                run.result().name(),
                run.lagMillis(),
                run.result().ttft().getValueAtPercentile(50) / 1e6))
        .toList();
  }

  private static List<String> doubts(CompareSettings settings, Contest contest) {
    var doubts = new ArrayList<String>();
    double bound = LockStepBound.of(contest.calls(), settings.maxNumSeqs());
    double ratio =
        Metric.FIRST_TABLE
            .getFirst()
            .ratio(contest.baseline(), candidate(settings, contest))
            .orElse(1);
    if (bound == 1 && ratio > MOST_FOR_UNIFORM) {
      doubts.add(
          "DOUBTFUL: with lengths all alike the baseline should lose at most a factor of 1.2; the"
              + " rest is a fault of its own");
    } else if (bound > 1 && ratio > bound * TOLERANCE) {
      doubts.add("DOUBTFUL: the throughput ratio passes the bound of lock-step batches");
    }
    for (var column : contest.columns()) {
      if (column.wrongAnswers() > 0 && column.contender() instanceof Contender.Peer) {
        doubts.add(
            "%d greedy answers of %s differ from its answers to single requests"
                .formatted(column.wrongAnswers(), column.name()));
      }
    }
    return doubts;
  }

  /** Everything, the worst first. */
  List<String> lines() {
    var lines = new ArrayList<String>(broken);
    lines.addAll(unmet);
    lines.addAll(invalid);
    lines.addAll(doubts);
    return lines;
  }

  /** The exit status of the command. */
  int exitCode() {
    if (!broken.isEmpty()) {
      return 3;
    }
    if (!unmet.isEmpty()) {
      return 4;
    }
    return invalid.isEmpty() ? 0 : 5;
  }
}
