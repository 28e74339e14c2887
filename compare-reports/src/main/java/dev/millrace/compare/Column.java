package dev.millrace.compare;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** All runs of one contender, in the order they were made. */
record Column(Contender contender, List<Run> runs) {
  /** Limits of the users served, in milliseconds. */
  static final double TTFT_LIMIT = 2_000;

  static final double TPOT_LIMIT = 200;

  Column {
    runs = List.copyOf(runs);
  }

  String name() {
    return contender.name();
  }

  List<Run> of(Run.Kind kind) {
    return runs.stream().filter(run -> run.kind() == kind).toList();
  }

  /** Failed requests of throughput and latency runs; above its limit a server may refuse users. */
  long errors() {
    return runs.stream()
        .filter(run -> run.kind() != Run.Kind.USERS)
        .mapToLong(run -> run.result().failed())
        .sum();
  }

  long wrongAnswers() {
    return runs.stream().mapToLong(Run::wrongAnswers).sum();
  }

  /** Runs whose figures appear in the report though the client was too late in them. */
  List<Run> invalid() {
    return runs.stream().filter(run -> run.kind() != Run.Kind.USERS && run.invalid()).toList();
  }

  /** The most users that were served within the limits; empty if nobody asked. */
  OptionalInt usersServed() {
    var ladder = of(Run.Kind.USERS);
    return ladder.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(
            ladder.stream().filter(Column::served).mapToInt(Run::users).max().orElse(0));
  }

  /** Whether a failed step was reached, so that the figure is no lower bound. */
  boolean usersExhausted() {
    return of(Run.Kind.USERS).stream().anyMatch(run -> !served(run));
  }

  static boolean served(Run run) {
    var result = run.result();
    return result.failed() == 0
        && result.ttft().getValueAtPercentile(99) / 1e6 <= TTFT_LIMIT
        && result.tpot().getValueAtPercentile(99) / 1e6 <= TPOT_LIMIT;
  }

  /** The highest peak of throughput and latency runs. */
  OptionalLong peakResidentBytes() {
    return runs.stream()
        .filter(run -> run.kind() != Run.Kind.USERS && run.peakResidentBytes().isPresent())
        .mapToLong(run -> run.peakResidentBytes().getAsLong())
        .max();
  }
}
