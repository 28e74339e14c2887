package dev.millrace.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadRunnerTest {
  @TempDir Path scratch;

  /** Calls that can be told apart by their first prompt id. */
  private static List<CompletionCall> calls(int count) {
    return IntStream.range(0, count).mapToObj(i -> new CompletionCall(new int[] {i}, 3)).toList();
  }

  private LoadResult run(ScriptedServer server, LoadPlan plan) {
    return LoadRunner.run(plan, server.target(), scratch, _ -> {});
  }

  @Test
  void aClosedLoopSendsEachCallOnceAndKeepsToItsUsers() {
    try (var server =
        new ScriptedServer((request, reply) -> {
          Thread.sleep(5);
          reply.whole(request);
        })) {
      var seen = new AtomicInteger();
      var plan = new LoadPlan("closed", calls(20), new Pace.ClosedLoop(3));
      var result =
          LoadRunner.run(plan, server.target(), scratch, n -> seen.accumulateAndGet(n, Math::max));
      assertEquals(20, result.completed());
      assertEquals(60, result.outputTokens());
      assertEquals(20, result.promptTokens());
      assertEquals(20, result.texts().size());
      assertEquals("é0é1é2", result.texts().get(7));
      assertEquals(0, result.failed());
      assertEquals(20, seen.get());
      assertEquals(
          IntStream.range(0, 20).boxed().toList(),
          server.requests().stream().map(r -> r.path("prompt").path(0).asInt()).sorted().toList());
      // a connection is counted until the server has noticed its end: one more for each user
      assertTrue(server.mostOpen() <= 6, server.mostOpen() + " at once");
      assertTrue(result.wallNanos() >= 7 * 5_000_000L);
    }
  }

  @Test
  void anOpenLoopMeasuresTheWaitOfAQueueFromTheScheduledTime() {
    // one request at a time, 40 ms each: the fifth of five that come together waits for four
    var turn = new Semaphore(1, true);
    try (var server =
        new ScriptedServer((request, reply) -> {
          turn.acquire();
          try {
            Thread.sleep(40);
            reply.whole(request);
          } finally {
            turn.release();
          }
        })) {
      var plan = new LoadPlan("open", calls(5), new Pace.OpenLoop(new Arrivals(new long[5])));
      var result = run(server, plan);
      assertEquals(5, result.completed());
      assertTrue(result.ttft().getMaxValue() >= 5 * 39_900_000L);
      assertTrue(result.ttft().getMinValue() >= 39_900_000L);
    }
  }

  @Test
  void noCallOfAnOpenLoopIsSentBeforeItsTime() {
    try (var server = new ScriptedServer((request, reply) -> reply.whole(request))) {
      var offsets = new long[] {0, 50_000_000, 50_000_000, 300_000_000};
      var plan = new LoadPlan("timed", calls(4), new Pace.OpenLoop(new Arrivals(offsets)));
      var result = run(server, plan);
      assertEquals(4, result.completed());
      assertEquals(4, result.lag().getTotalCount());
      assertTrue(result.wallNanos() >= 300_000_000L);
    }
  }

  @Test
  void eachBadAnswerIsOneErrorOfItsKind() {
    try (var server =
        new ScriptedServer((request, reply) -> {
          switch (request.path("prompt").path(0).asInt()) {
            case 1 -> reply.raw("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
            case 2, 3 -> {
              reply.chunked();
              reply.chunk(Reply.text("a"));
            }
            case 4 -> {
              reply.chunked();
              reply.chunk(Reply.finish() + Reply.usage(1, 99) + Reply.done());
            }
            default -> reply.whole(request);
          }
        })) {
      var result = run(server, new LoadPlan("errors", calls(10), new Pace.ClosedLoop(2)));
      assertEquals(6, result.completed());
      assertEquals(18, result.outputTokens());
      assertEquals(
          Map.of(
              FailureKind.STATUS, 1L,
              FailureKind.BROKEN_STREAM, 2L,
              FailureKind.WRONG_TOKEN_COUNT, 1L),
          result.failures());
      assertEquals(10, server.requests().size(), "a request is never repeated");
    }
  }

  @Test
  void aFaultOfOurOwnEndsTheRun() {
    try (var server = new ScriptedServer((request, reply) -> reply.whole(request))) {
      var plan = new LoadPlan("fault", calls(4), new Pace.ClosedLoop(1));
      var thrown =
          assertThrows(
              IllegalStateException.class,
              () ->
                  LoadRunner.run(
                      plan,
                      server.target(),
                      scratch,
                      _ -> {
                        throw new IllegalArgumentException("ours");
                      }));
      assertInstanceOf(IllegalArgumentException.class, thrown.getCause());
    }
  }

  @Test
  void histogramsComeBackFromTheLogFile() throws IOException {
    try (var server = new ScriptedServer((request, reply) -> reply.whole(request))) {
      var result = run(server, new LoadPlan("files", calls(8), new Pace.ClosedLoop(2)));
      ResultFiles.write(scratch, result);
      assertTrue(Files.readString(scratch.resolve("files.json")).contains("\"completed\" : 8"));
      var log = new HistogramLogReader(scratch.resolve("files.hlog").toFile());
      for (var written : result.histograms()) {
        var read = (Histogram) log.nextIntervalHistogram();
        assertEquals(written.getTag(), read.getTag());
        assertEquals(written, read);
      }
    }
  }
}
