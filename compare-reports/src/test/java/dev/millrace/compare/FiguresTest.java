package dev.millrace.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.FailureKind;
import dev.millrace.loadtest.LoadResult;
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

  private static LoadResult result(long tokens, long failed, Histogram latencies) {
    Map<FailureKind, Long> failures = failed == 0 ? Map.of() : Map.of(FailureKind.STATUS, failed);
    return new LoadResult(
        "run",
        0,
        2_000_000_000L,
        10,
        10,
        tokens,
        failures,
        Map.of(),
        latencies,
        latencies,
        latencies,
        latencies,
        latencies);
  }

  private static Column column(String name, long tokens, long latency, long mebibytes) {
    return new Column(
        name,
        List.of(),
        result(tokens, 0, histogram()),
        result(tokens, 3, histogram(latency, latency)),
        mebibytes == 0 ? OptionalLong.empty() : OptionalLong.of(mebibytes << 20));
  }

  @Test
  void ratiosAreTurnedSoThatMoreIsBetter() {
    var figures =
        Figures.of(
            List.of(column("static", 1000, 40, 300), column("continuous", 2000, 10, 600)), 2.5);
    assertEquals(List.of("", "static", "continuous", "ratio", "lock-step bound"), figures.heads());
    var rows = figures.rows();
    assertEquals(List.of("500.0", "1,000.0", "2.00", "2.50"), rows.get(0).cells());
    assertEquals("4.00", rows.get(1).cells().get(2));
    assertEquals("0.50", rows.get(6).cells().get(2));
    assertEquals(List.of("3", "3"), rows.get(7).cells());
  }

  @Test
  void aLoneColumnHasNoRatio() {
    var figures = Figures.of(List.of(column("static", 1000, 40, 300)), 2.5);
    assertEquals(List.of("", "static"), figures.heads());
    assertEquals(List.of("500.0"), figures.rows().getFirst().cells());
  }

  @Test
  void whatWasNotMeasuredIsNotANumber() {
    var figures =
        Figures.of(List.of(column("static", 1000, 40, 0), column("other", 2000, 10, 600)), 1);
    assertEquals(List.of("n/a", "600.0", "n/a"), figures.rows().get(6).cells());
  }

  @Test
  void terminalColumnsAreAligned() {
    var lines =
        Figures.of(List.of(column("a", 1000, 40, 1), column("b", 2000, 10, 2)), 1)
            .text()
            .lines()
            .toList();
    assertEquals(9, lines.size());
    assertEquals(lines.get(0).indexOf("ratio") + 5, lines.get(2).length());
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
}
