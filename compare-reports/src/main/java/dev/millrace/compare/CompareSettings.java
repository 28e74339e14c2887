package dev.millrace.compare;

import dev.millrace.loadtest.LengthShape;
import dev.millrace.loadtest.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to compare and how. {@code launcher} starts servers; {@code forServe} are further arguments
 * for them; {@code typed} is the command line as it was given, for the report.
 */
record CompareSettings(
    Path launcher,
    @Nullable Path model,
    List<String> schedulers,
    int maxNumSeqs,
    int users,
    int requests,
    LengthShape lengths,
    int promptTokens,
    int outputTokens,
    long seed,
    Duration requestTimeout,
    Duration startTimeout,
    Path out,
    List<String> forServe,
    List<String> typed) {
  CompareSettings {
    schedulers = List.copyOf(schedulers);
    forServe = List.copyOf(forServe);
    typed = List.copyOf(typed);
    if (schedulers.isEmpty() || new HashSet<>(schedulers).size() != schedulers.size()) {
      throw new IllegalArgumentException(
          "--schedulers needs different names, separated by commas, not " + schedulers);
    }
    atLeastOne("--max-num-seqs", maxNumSeqs);
    atLeastOne("--users", users);
    atLeastOne("--requests", requests);
    atLeastOne("--prompt-tokens", promptTokens);
    atLeastOne("--output-tokens", outputTokens);
    atLeastOne("--request-timeout", requestTimeout.toSeconds());
    atLeastOne("--start-timeout", startTimeout.toSeconds());
  }

  private static void atLeastOne(String option, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " must be at least 1, not " + value);
    }
  }

  /** The measured requests, cut to what the server's model can hold. */
  Workload measured(int contextLimit) {
    return new Workload(lengths, requests, promptTokens, outputTokens, contextLimit, seed);
  }

  /** Requests before the measured ones, of the same kind but others. */
  Workload warmUp(int contextLimit) {
    int count = Math.max(users, requests / 2);
    return new Workload(lengths, count, promptTokens, outputTokens, contextLimit, ~seed);
  }
}
