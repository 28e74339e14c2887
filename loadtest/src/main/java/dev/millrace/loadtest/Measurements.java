package dev.millrace.loadtest;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** Gathers the outcomes of one run. Any thread may add; {@link #result} is called once, after. */
final class Measurements {
  private static final int DIGITS = 3;

  private final Recorder ttft = new Recorder(DIGITS);
  private final Recorder itl = new Recorder(DIGITS);
  private final Recorder tpot = new Recorder(DIGITS);
  private final Recorder e2e = new Recorder(DIGITS);
  private final Recorder lag = new Recorder(DIGITS);

  // the rest is guarded by this
  private final Map<FailureKind, Long> failures = new EnumMap<>(FailureKind.class);
  private final Map<FailureKind, String> samples = new EnumMap<>(FailureKind.class);
  private int completed;
  private long promptTokens;
  private long outputTokens;
  private long earliest = Long.MAX_VALUE;
  private long latest = Long.MIN_VALUE;
  private final Map<Integer, String> texts = new TreeMap<>();

  /** Adds the outcome of the plan's call of that index and returns how many there are now. */
  int add(int index, Outcome outcome) {
    lag.recordValue(Math.max(0, outcome.sent() - outcome.scheduled()));
    switch (outcome) {
      case Outcome.Completed done -> recordLatencies(done);
      case Outcome.Failed _ -> {
        // a failed request has no latency worth the name; it counts as an error
      }
    }
    return count(index, outcome);
  }

  private void recordLatencies(Outcome.Completed done) {
    ttft.recordValue(done.firstContent() - done.scheduled());
    e2e.recordValue(done.ended() - done.scheduled());
    if (done.outputTokens() > 1) {
      tpot.recordValue((done.lastContent() - done.firstContent()) / (done.outputTokens() - 1));
    }
    for (long gap : done.gaps()) {
      itl.recordValue(gap);
    }
  }

  private synchronized int count(int index, Outcome outcome) {
    earliest = Math.min(earliest, outcome.scheduled());
    latest = Math.max(latest, outcome.ended());
    switch (outcome) {
      case Outcome.Completed done -> {
        completed++;
        promptTokens += done.promptTokens();
        outputTokens += done.outputTokens();
        texts.put(index, done.text());
      }
      case Outcome.Failed failed -> {
        failures.merge(failed.kind(), 1L, Long::sum);
        samples.putIfAbsent(failed.kind(), failed.message());
      }
    }
    return total();
  }

  private int total() {
    return completed + Math.toIntExact(failures.values().stream().mapToLong(n -> n).sum());
  }

  synchronized LoadResult result(String name, long startedEpochMillis) {
    return new LoadResult(
        name,
        startedEpochMillis,
        earliest == Long.MAX_VALUE ? 0 : earliest,
        Math.max(0, latest - earliest),
        completed,
        promptTokens,
        outputTokens,
        failures,
        samples,
        texts,
        histogram(ttft, "ttft"),
        histogram(itl, "itl"),
        histogram(tpot, "tpot"),
        histogram(e2e, "e2e"),
        histogram(lag, "lag"));
  }

  private static Histogram histogram(Recorder recorder, String tag) {
    var histogram = recorder.getIntervalHistogram();
    histogram.setTag(tag);
    return histogram;
  }
}
