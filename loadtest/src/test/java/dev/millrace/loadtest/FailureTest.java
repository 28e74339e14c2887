package dev.millrace.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FailureTest {
  private static final CompletionCall CALL = new CompletionCall(new int[] {20, 21, 22}, 4);

  private static Outcome.Failed fail(Duration timeout, ScriptedServer.Script script) {
    try (var server = new ScriptedServer(script)) {
      var outcome = new CompletionClient(server.target(timeout)).send(CALL, System.nanoTime());
      assertEquals(1, server.requests().size(), "a request is never repeated");
      var failed = assertInstanceOf(Outcome.Failed.class, outcome);
      assertTrue(failed.sent() <= failed.ended());
      return failed;
    }
  }

  private static Outcome.Failed fail(ScriptedServer.Script script) {
    return fail(Duration.ofSeconds(30), script);
  }

  private static void assertFails(FailureKind kind, String message, ScriptedServer.Script script) {
    var failed = fail(script);
    assertEquals(kind, failed.kind(), failed.message());
    assertTrue(failed.message().contains(message), failed.message());
  }

  @Test
  void aClosedPortIsAFailureToConnect() throws IOException {
    int port;
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    var target = new Target(URI.create("http://localhost:" + port), "m", Duration.ofSeconds(10));
    var outcome = new CompletionClient(target).send(CALL, System.nanoTime());
    var failed = assertInstanceOf(Outcome.Failed.class, outcome);
    assertEquals(FailureKind.CONNECT, failed.kind());
  }

  @Test
  void anotherStatusIsReportedWithItsText() {
    assertFails(
        FailureKind.STATUS,
        "500 {\"error\":\"broken\"}",
        (request, reply) ->
            reply.raw("HTTP/1.1 500 Oh\r\nContent-Length: 18\r\n\r\n{\"error\":\"broken\"}"));
  }

  @Test
  void aFullServerIsAStatusToo() {
    assertFails(
        FailureKind.STATUS,
        "429",
        (request, reply) -> reply.raw("HTTP/1.1 429 Too Many Requests\r\n\r\n"));
  }

  @Test
  void noAnswerAtAllIsABrokenStream() {
    assertFails(FailureKind.BROKEN_STREAM, "ended within a line", (request, reply) -> {});
  }

  @Test
  void aStreamCutInAChunkIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "bytes still to come",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a"));
          reply.raw("100\r\ndata: {\"choices\"");
        });
  }

  @Test
  void aStreamCutBetweenEventsIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "ended",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a"));
        });
  }

  @Test
  void anOrderlyEndWithoutDoneIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "without data: [DONE]",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a") + Reply.finish() + Reply.usage(3, 4));
          reply.lastChunk();
        });
  }

  @Test
  void doneBeforeAFinishReasonIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "before a finish_reason",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a") + Reply.usage(3, 4) + Reply.done());
        });
  }

  @Test
  void aFalseChunkSizeIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "longer than its size line said",
        (request, reply) -> {
          reply.chunked();
          reply.raw("5\r\n" + Reply.text("a") + "\r\n");
        });
  }

  @Test
  void anErrorWithinTheStreamIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "the stream carried an error",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a") + "data: {\"error\":{\"message\":\"gone\"}}\n\n");
          reply.chunk(Reply.done());
        });
  }

  @Test
  void anEventThatIsNotJsonIsBroken() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "not JSON",
        (request, reply) -> {
          reply.chunked();
          reply.chunk("data: {\"choices\n\n");
        });
  }

  @Test
  void aPlainJsonAnswerIsNoStream() {
    assertFails(
        FailureKind.BROKEN_STREAM,
        "no event stream",
        (request, reply) ->
            reply.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"));
  }

  @Test
  void silencePastTheTimeLimitIsATimeout() {
    var failed =
        fail(
            Duration.ofMillis(300),
            (request, reply) -> {
              reply.chunked();
              reply.chunk(Reply.text("a"));
              Thread.sleep(2_000);
            });
    assertEquals(FailureKind.TIMEOUT, failed.kind(), failed.message());
    assertTrue(failed.ended() - failed.scheduled() >= 290_000_000);
  }

  @Test
  void aTrickleOfEventsDoesNotStretchTheTimeLimit() {
    var failed =
        fail(
            Duration.ofMillis(300),
            (request, reply) -> {
              reply.chunked();
              for (int i = 0; i < 100; i++) {
                reply.chunk(": waiting\n\n");
                Thread.sleep(20);
              }
            });
    assertEquals(FailureKind.TIMEOUT, failed.kind(), failed.message());
  }

  @Test
  void fewerTokensThanAskedAreAWrongCount() {
    assertFails(
        FailureKind.WRONG_TOKEN_COUNT,
        "asked for 4 tokens, usage says 3",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a") + Reply.finish() + Reply.usage(3, 3) + Reply.done());
        });
  }

  @Test
  void anotherPromptThanSentIsAWrongCount() {
    assertFails(
        FailureKind.WRONG_TOKEN_COUNT,
        "sent a prompt of 3 tokens, usage says 4",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a") + Reply.finish() + Reply.usage(4, 4) + Reply.done());
        });
  }

  @Test
  void missingUsageIsAWrongCount() {
    assertFails(
        FailureKind.WRONG_TOKEN_COUNT,
        "no usage",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a") + Reply.finish() + Reply.done());
        });
  }

  @Test
  void moreEventsThanTokensAreAWrongCount() {
    assertFails(
        FailureKind.WRONG_TOKEN_COUNT,
        "5 events carried text, usage says 4",
        (request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.text("a").repeat(5) + Reply.finish());
          reply.chunk(Reply.usage(3, 4) + Reply.done());
        });
  }
}
