package dev.millrace.compare;

import dev.millrace.loadtest.LoadResult;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/**
 * A figure of the report.
 *
 * @param key its name in thresholds and in results.json
 * @param decimals how many are printed
 * @param higherIsBetter whether a greater value is a better one
 * @param bounded whether lock-step batches have a bound for its ratio
 */
record Metric(
    String key,
    String label,
    int decimals,
    boolean higherIsBetter,
    boolean bounded,
    Function<Column, Spread> value) {
  /** What decides. */
  static final List<Metric> FIRST_TABLE =
      List.of(
          new Metric(
              "throughput",
              "throughput (output tok/s)",
              1,
              true,
              true,
              over(Run.Kind.THROUGHPUT, LoadResult::outputTokensPerSecond)),
          latency("mean-ttft", "mean TTFT (ms)", result -> mean(result.ttft())),
          latency("p99-latency", "P99 latency, end to end (ms)", r -> percentile(r.e2e(), 99)),
          new Metric("memory", "peak memory (MiB)", 1, false, false, Metric::mebibytes),
          new Metric("users", "users served", 0, true, true, Metric::users));

  /** What explains it. */
  static final List<Metric> DETAILS =
      List.of(
          new Metric(
              "capacity",
              "capacity (requests/s)",
              2,
              true,
              false,
              over(Run.Kind.THROUGHPUT, LoadResult::requestsPerSecond)),
          latency("p50-ttft", "P50 TTFT (ms)", r -> percentile(r.ttft(), 50)),
          latency("p99-ttft", "P99 TTFT (ms)", r -> percentile(r.ttft(), 99)),
          latency("p50-tpot", "P50 TPOT (ms)", r -> percentile(r.tpot(), 50)),
          latency("p99-tpot", "P99 TPOT (ms)", r -> percentile(r.tpot(), 99)),
          latency("p50-itl", "P50 ITL (ms)", r -> percentile(r.itl(), 50)),
          latency("p99-itl", "P99 ITL (ms)", r -> percentile(r.itl(), 99)),
          latency("p50-latency", "P50 latency, end to end (ms)", r -> percentile(r.e2e(), 50)),
          latency("client-lag", "P99 lag of the client (ms)", r -> percentile(r.lag(), 99)));

  private static Metric latency(String key, String label, ToDoubleFunction<LoadResult> value) {
    return new Metric(key, label, 1, false, false, over(Run.Kind.LATENCY, value));
  }

  private static Function<Column, Spread> over(Run.Kind kind, ToDoubleFunction<LoadResult> value) {
    return column ->
        Spread.of(column.of(kind).stream().map(run -> value.applyAsDouble(run.result())).toList());
  }

  private static double mean(Histogram histogram) {
    return histogram.getTotalCount() == 0 ? Double.NaN : histogram.getMean() / 1e6;
  }

  private static double percentile(Histogram histogram, double level) {
    return histogram.getTotalCount() == 0
        ? Double.NaN
        : histogram.getValueAtPercentile(level) / 1e6;
  }

  private static Spread mebibytes(Column column) {
    var bytes = column.peakResidentBytes();
    return bytes.isPresent() ? Spread.of(bytes.getAsLong() / 1048576.0) : Spread.NONE;
  }

  private static Spread users(Column column) {
    var users = column.usersServed();
    return users.isPresent() ? Spread.of(users.getAsInt()) : Spread.NONE;
  }

  /** How many times better a column is than the baseline; empty if either was not measured. */
  OptionalDouble ratio(Column baseline, Column other) {
    double first = value.apply(baseline).median();
    double last = value.apply(other).median();
    double ratio = higherIsBetter ? last / first : first / last;
    return Double.isFinite(ratio) ? OptionalDouble.of(ratio) : OptionalDouble.empty();
  }
}
