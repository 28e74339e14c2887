package dev.millrace.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.FailureKind;
import dev.millrace.loadtest.LoadResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class FiguresTest {
  private static Histogram histogram(long... milliseconds) {
    var histogram = new Histogram(3);
    for (long value : milliseconds) {
      histogram.recordValue(value * 1_000_000);
    }
    return histogram;
  }

  private static Run run(
      Contender contender,
      Run.Kind kind,
      int users,
      long tokens,
      long failed,
      long latency,
      long lag) {
    Map<FailureKind, Long> failures = failed == 0 ? Map.of() : Map.of(FailureKind.STATUS, failed);
    var latencies = histogram(latency, latency);
    var result =
        new LoadResult(
            "run",
            0,
            0,
            2_000_000_000L,
            10,
            10,
            tokens,
            failures,
            Map.of(),
            Map.of(),
            latencies,
            latencies,
            latencies,
            latencies,
            histogram(lag));
    return new Run(contender, kind, users, 1, result, OptionalLong.of(300L << 20), 0);
  }

  /** Throughput runs with these tokens in two seconds, latency runs with this latency. */
  private static Column column(String name, long latency, long... tokens) {
    var contender = new Contender.Scheduler(name);
    var runs = new ArrayList<Run>();
    for (long count : tokens) {
      runs.add(run(contender, Run.Kind.THROUGHPUT, 4, count, 0, latency, 0));
      runs.add(run(contender, Run.Kind.LATENCY, 0, count, 0, latency, 0));
    }
    return new Column(contender, runs);
  }

  @Test
  void ratiosAreTurnedSoThatMoreIsBetter() {
    var figures =
        Figures.of(
            Metric.FIRST_TABLE,
            List.of(column("static", 40, 1000), column("continuous", 10, 2000)),
            2.5);
    assertEquals(
        List.of("", "static", "continuous", "continuous : static", "lock-step bound"),
        figures.heads());
    assertEquals(
        List.of("throughput (output tok/s)", "500.0", "1,000.0", "2.00", "2.50"),
        figures.rows().getFirst());
    assertEquals("4.00", figures.rows().get(1).get(3));
    assertEquals("none", figures.rows().get(1).get(4));
    assertEquals("n/a", figures.rows().get(4).get(1));
  }

  @Test
  void repetitionsShowAsMedianLeastAndGreatest() {
    var figures = Figures.of(Metric.FIRST_TABLE, List.of(column("a", 1, 200, 800, 400)), 1);
    assertEquals(List.of("", "a"), figures.heads());
    assertEquals("200.0 (100.0 to 400.0)", figures.rows().getFirst().get(1));
    assertEquals(new Spread(2.5, 1, 4), Spread.of(List.of(4.0, 1.0, 3.0, 2.0)));
    assertEquals(Spread.NONE, Spread.of(List.of(Double.NaN)));
  }

  @Test
  void usersAreServedUpToTheLastStepWithinTheLimits() {
    var contender = new Contender.Scheduler("a");
    var steps = new ArrayList<Run>();
    steps.add(run(contender, Run.Kind.USERS, 1, 1, 0, 100, 0));
    steps.add(run(contender, Run.Kind.USERS, 2, 1, 0, 199, 0));
    var open = new Column(contender, steps);
    assertEquals(2, open.usersServed().getAsInt());
    assertFalse(open.usersExhausted());
    steps.add(run(contender, Run.Kind.USERS, 4, 1, 0, 202, 0));
    assertTrue(new Column(contender, steps).usersExhausted());
    assertEquals(2, new Column(contender, steps).usersServed().getAsInt());
    var failing = List.of(run(contender, Run.Kind.USERS, 1, 1, 1, 1, 0));
    assertEquals(0, new Column(contender, failing).usersServed().getAsInt());
  }

  @Test
  void aClientLateByMoreThanATenthOfTheMedianMakesARunInvalid() {
    var contender = new Contender.Scheduler("a");
    assertFalse(run(contender, Run.Kind.LATENCY, 0, 1, 0, 100, 9).invalid());
    assertTrue(run(contender, Run.Kind.LATENCY, 0, 1, 0, 100, 11).invalid());
  }

  @Test
  void terminalColumnsAreAligned() {
    var lines =
        Figures.of(Metric.FIRST_TABLE, List.of(column("a", 40, 1000), column("b", 10, 2000)), 1)
            .text()
            .lines()
            .toList();
    assertEquals(6, lines.size());
    assertEquals(lines.get(0).length(), lines.get(1).length());
  }

  @Test
  void theLockStepBoundIsLongestOverMeanOfEachBatch() {
    assertEquals(1.0, LockStepBound.of(calls(7, 7, 7), 2));
    assertEquals(16.0 / 10, LockStepBound.of(calls(2, 8), 2));
    // batches (1, 3) and (4, 4) hold 6 + 8 places for 4 + 8 tokens
    assertEquals(14.0 / 12, LockStepBound.of(calls(1, 3, 4, 4), 2));
    // a last batch that is not full holds only its own places
    assertEquals(8.0 / 6, LockStepBound.of(calls(1, 3, 2), 2));
  }

  private static List<CompletionCall> calls(int... lengths) {
    return IntStream.of(lengths).mapToObj(n -> new CompletionCall(new int[] {20}, n)).toList();
  }

  @Test
  void axesHaveRoundTicksAroundTheirValues() {
    assertEquals(
        List.of("0", "500", "1000", "1500"),
        Axis.fromZero("x", 1400).ticks().stream().map(Axis.Tick::label).toList());
    assertEquals(
        List.of("0.1", "0.2", "0.5", "1", "2", "5", "10"),
        Axis.factors("x", 0.13, 8).ticks().stream().map(Axis.Tick::label).toList());
    assertEquals(0.5, Axis.factors("x", 1, 100).place(10), 1e-9);
    assertEquals(1, Axis.factors("x", 1, 100).place(1e6));
  }

  @Test
  void metricsAreSummedOverTheirLabels() {
    var metrics = Timeline.parse("# TYPE a gauge\na{m=\"x y\"} 2.0\na{m=\"z\"} 3\nb 1e3\n\n");
    assertEquals(Map.of("a", 5.0, "b", 1000.0), metrics);
  }
}
