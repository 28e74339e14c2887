package dev.millrace.loadtest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.junit.jupiter.api.Test;

class TranscriptTest {
  private static final long MS = 1_000_000;

  private static CompletionChunk text(String text) {
    return new CompletionChunk(text, false, null);
  }

  /** Tokens at 100, 110 and 160 ms, an empty piece between, the end at 170 ms, due at 20 ms. */
  private static Outcome answer() {
    var transcript = new Transcript();
    transcript.add(text(""), 90 * MS);
    transcript.add(text("a"), 100 * MS);
    transcript.add(text("b"), 110 * MS);
    transcript.add(text(""), 130 * MS);
    transcript.add(text("c"), 160 * MS);
    transcript.add(new CompletionChunk("", true, new CompletionChunk.Usage(1, 3)), 165 * MS);
    return transcript.outcome(new CompletionCall(new int[] {20}, 3), 20 * MS, 25 * MS, 170 * MS);
  }

  @Test
  void gapsLieBetweenEventsWithText() {
    var done = assertInstanceOf(Outcome.Completed.class, answer());
    assertEquals(100 * MS, done.firstContent());
    assertEquals(160 * MS, done.lastContent());
    assertArrayEquals(new long[] {10 * MS, 50 * MS}, done.gaps());
  }

  @Test
  void longAnswersKeepAllTheirGaps() {
    var transcript = new Transcript();
    for (int i = 0; i < 1000; i++) {
      transcript.add(text("x"), i * MS);
    }
    transcript.add(new CompletionChunk("", true, new CompletionChunk.Usage(1, 1000)), 1000 * MS);
    var outcome = transcript.outcome(new CompletionCall(new int[] {20}, 1000), 0, 0, 1000 * MS);
    var done = assertInstanceOf(Outcome.Completed.class, outcome);
    assertEquals(999, done.gaps().length);
    assertEquals(MS, done.gaps()[998]);
  }

  @Test
  void metricsFollowTheirDefinitions() {
    var measurements = new Measurements();
    assertEquals(1, measurements.add(0, answer()));
    var result = measurements.result("one", 0);
    assertMillis(80, result.ttft().getMaxValue());
    assertMillis(150, result.e2e().getMaxValue());
    assertMillis(30, result.tpot().getMaxValue());
    assertMillis(50, result.itl().getMaxValue());
    assertMillis(10, result.itl().getMinValue());
    assertMillis(5, result.lag().getMaxValue());
    assertEquals(150 * MS, result.wallNanos());
    assertEquals(20.0, result.outputTokensPerSecond(), 1e-9);
  }

  @Test
  void failuresCountOnceAndLeaveTheLatenciesAlone() {
    var measurements = new Measurements();
    assertEquals(1, measurements.add(0, answer()));
    var failed = new Outcome.Failed(0, 10, 20, FailureKind.STATUS, "500");
    assertEquals(2, measurements.add(1, failed));
    assertEquals(3, measurements.add(1, failed));
    var result = measurements.result("mixed", 0);
    assertEquals(1, result.completed());
    assertEquals(2, result.failed());
    assertEquals(2L, result.failures().get(FailureKind.STATUS));
    assertEquals("500", result.samples().get(FailureKind.STATUS));
    assertEquals(1, result.ttft().getTotalCount());
    assertEquals(1, result.e2e().getTotalCount());
    assertEquals(3, result.lag().getTotalCount());
  }

  /** Three digits are kept. */
  private static void assertMillis(double expected, long nanos) {
    assertEquals(expected, nanos / 1e6, expected * 0.002);
  }
}
