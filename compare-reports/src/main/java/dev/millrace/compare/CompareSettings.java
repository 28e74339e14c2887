package dev.millrace.compare;

import dev.millrace.loadtest.ArrivalShape;
import dev.millrace.loadtest.LengthShape;
import dev.millrace.loadtest.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to compare and how.
 *
 * @param launcher starts the server
 * @param contenders the baseline first, which is a scheduler
 * @param requests of each throughput and latency run; 0: as many as the time allows
 * @param check how many calls are also sent alone, for their right answers
 * @param mostUsers the last step of the search for the users served; 0: no search
 * @param seconds what all runs together should take
 * @param required the least ratio of the last scheduler over the baseline, by the metric's key
 * @param scratch a folder for files of the load generator's own
 * @param forServe further arguments of the server
 * @param typed the command line as it was given
 */
record CompareSettings(
    Path launcher,
    @Nullable Path model,
    List<Contender> contenders,
    int maxNumSeqs,
    int users,
    int requests,
    int repetitions,
    int check,
    int mostUsers,
    double seconds,
    LengthShape lengths,
    ArrivalShape arrivals,
    int promptTokens,
    int outputTokens,
    long seed,
    Map<String, Double> required,
    Duration requestTimeout,
    Duration startTimeout,
    Path out,
    Path scratch,
    List<String> forServe,
    List<String> typed) {
  CompareSettings {
    contenders = List.copyOf(contenders);
    required = Map.copyOf(required);
    forServe = List.copyOf(forServe);
    typed = List.copyOf(typed);
    var names = contenders.stream().map(Contender::name).toList();
    if (new HashSet<>(names).size() != names.size()) {
      throw new IllegalArgumentException("contenders need different names, not " + names);
    }
    if (!names.stream().allMatch(name -> name.matches("[\\w.+-]+"))) {
      throw new IllegalArgumentException(
          "names of contenders are letters, digits, '.', '_', '+' and '-', not " + names);
    }
    if (contenders.isEmpty() || !(contenders.getFirst() instanceof Contender.Scheduler)) {
      throw new IllegalArgumentException("--schedulers needs at least one name");
    }
    for (String key : required.keySet()) {
      if (Metric.FIRST_TABLE.stream().noneMatch(metric -> metric.key().equals(key))) {
        throw new IllegalArgumentException(
            "--require knows "
                + Metric.FIRST_TABLE.stream().map(Metric::key).toList()
                + ", not "
                + key);
      }
    }
    atLeast("--max-num-seqs", maxNumSeqs, 1);
    atLeast("--users", users, 1);
    atLeast("--requests", requests, 0);
    atLeast("--repetitions", repetitions, 1);
    atLeast("--check", check, 0);
    atLeast("--most-users", mostUsers, 0);
    atLeast("--time", seconds, 1);
    atLeast("--prompt-tokens", promptTokens, 1);
    atLeast("--output-tokens", outputTokens, 1);
    atLeast("--request-timeout", (double) requestTimeout.toSeconds(), 1);
    atLeast("--start-timeout", (double) startTimeout.toSeconds(), 1);
  }

  private static void atLeast(String option, double value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          option + " must be at least " + least + ", not " + (long) value);
    }
  }

  /** The measured requests, cut to what the server's model can hold. */
  Workload measured(int count, int contextLimit) {
    return new Workload(lengths, count, promptTokens, outputTokens, contextLimit, seed);
  }

  /** Requests before the measured ones, of the same kind but others. */
  Workload warmUp(int count, int contextLimit) {
    return new Workload(lengths, count, promptTokens, outputTokens, contextLimit, ~seed);
  }

  /** The last scheduler among the contenders: the one that thresholds are about. */
  Contender candidate() {
    return contenders.stream()
        .filter(Contender.Scheduler.class::isInstance)
        .reduce((first, second) -> second)
        .orElseThrow();
  }

  /**
   * The server's command line. There is no prefix cache: each run sends the same prompts, and only
   * the first would have to compute them. One core is left to the load generator unless the caller
   * says otherwise.
   */
  List<String> serveCommand(ServerProcess.Ports ports) {
    var command = new ArrayList<>(List.of(launcher.toAbsolutePath().toString(), "serve"));
    if (model != null) {
      command.addAll(List.of("--model", model.toString()));
    }
    command.addAll(List.of("--scheduler", contenders.getFirst().name()));
    command.addAll(List.of("--max-num-seqs", Integer.toString(maxNumSeqs)));
    command.addAll(List.of("--host", "127.0.0.1"));
    command.addAll(List.of("--port", Integer.toString(ports.http())));
    command.addAll(List.of("--admin-port", Integer.toString(ports.admin())));
    command.add("--no-enable-prefix-caching");
    if (forServe.stream().noneMatch(word -> word.startsWith("--threads"))) {
      int cores = Runtime.getRuntime().availableProcessors();
      command.addAll(List.of("--threads", Integer.toString(Math.max(1, cores - 1))));
    }
    command.addAll(forServe);
    return command;
  }
}
