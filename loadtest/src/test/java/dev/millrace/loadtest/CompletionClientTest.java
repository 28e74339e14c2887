package dev.millrace.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CompletionClientTest {
  private static final CompletionCall CALL = new CompletionCall(new int[] {20, 21, 22}, 4);

  private static Outcome.Completed complete(ScriptedServer.Script script) {
    try (var server = new ScriptedServer(script)) {
      var outcome = new CompletionClient(server.target()).send(CALL, System.nanoTime());
      assertEquals(1, server.requests().size());
      return assertInstanceOf(Outcome.Completed.class, outcome);
    }
  }

  @Test
  void asksForAStreamOfExactlySoManyTokens() {
    try (var server = new ScriptedServer((request, reply) -> reply.whole(request))) {
      var _ = new CompletionClient(server.target()).send(CALL, System.nanoTime());
      assertEquals(
          "{\"model\":\"m\",\"prompt\":[20,21,22],\"max_tokens\":4,\"temperature\":0,"
              + "\"ignore_eos\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
          server.requests().getFirst().toString());
    }
  }

  @Test
  void furtherFieldsOfTheTargetAreSentAlong() {
    try (var server = new ScriptedServer((request, reply) -> reply.whole(request))) {
      var plain = server.target();
      var target = new Target(plain.base(), "m", plain.timeout(), Map.of("cache_prompt", false));
      var _ = new CompletionClient(target).send(CALL, System.nanoTime());
      assertFalse(server.requests().getFirst().path("cache_prompt").asBoolean(true));
    }
  }

  @Test
  void timesAreInOrderAndHoldTheInjectedDelays() {
    var done =
        complete((request, reply) -> {
          Thread.sleep(60);
          reply.chunked();
          Thread.sleep(60);
          reply.chunk(Reply.text("")); // a role or an empty piece is no first token
          Thread.sleep(60);
          for (int i = 0; i < 4; i++) {
            reply.chunk(Reply.text("x"));
            Thread.sleep(20);
          }
          reply.chunk(Reply.finish() + Reply.usage(3, 4));
          reply.chunk(Reply.done());
        });
    assertTrue(done.scheduled() <= done.sent());
    assertTrue(done.firstContent() - done.sent() >= 180_000_000);
    assertTrue(done.ended() - done.sent() >= 260_000_000);
    assertTrue(done.ended() >= done.lastContent());
    assertEquals(3, done.gaps().length);
    assertEquals(done.lastContent() - done.firstContent(), Arrays.stream(done.gaps()).sum());
  }

  @Test
  void latenessOfTheClientCountsFromTheScheduledTime() {
    try (var server = new ScriptedServer((request, reply) -> reply.whole(request))) {
      long scheduled = System.nanoTime() - 2_000_000_000L;
      var outcome = new CompletionClient(server.target()).send(CALL, scheduled);
      var measurements = new Measurements();
      assertEquals(1, measurements.add(0, outcome));
      var result = measurements.result("late", 0);
      for (var histogram : List.of(result.ttft(), result.e2e(), result.lag())) {
        assertEquals(1, histogram.getTotalCount());
        assertTrue(histogram.getMinValue() >= 1_990_000_000L, histogram.getTag());
      }
    }
  }

  @Test
  void chunkBordersMayLieAnywhere() {
    for (int size : new int[] {1, 2, 3, 7, 64, 1000}) {
      var done =
          complete((request, reply) -> {
            reply.chunked();
            var bytes = ScriptedServer.bytes(Reply.events(request));
            for (int at = 0; at < bytes.length; at += size) {
              var part = Arrays.copyOfRange(bytes, at, Math.min(at + size, bytes.length));
              reply.chunk(part);
            }
            reply.lastChunk();
          });
      assertEquals(4, done.outputTokens());
      assertEquals(3, done.gaps().length);
    }
  }

  @Test
  void chunkSizesMayBePaddedAndCarryExtensions() {
    var done =
        complete((request, reply) -> {
          reply.chunked();
          var events = Reply.events(request);
          int length = ScriptedServer.bytes(events).length;
          reply.raw("00%X ;name=\"value\"\r\n%s\r\n".formatted(length, events));
          reply.raw("0\r\nTrailer: yes\r\n\r\n");
        });
    assertEquals(4, done.outputTokens());
  }

  @Test
  void bodiesWithALengthAndBodiesUntilCloseAreReadToo() {
    var byLength =
        complete((request, reply) -> {
          var events = Reply.events(request);
          reply.head("Content-Length: " + ScriptedServer.bytes(events).length);
          reply.raw(events);
        });
    var untilClose =
        complete((request, reply) -> {
          reply.head("Connection: close");
          reply.raw(Reply.events(request));
        });
    assertEquals(byLength.gaps().length, untilClose.gaps().length);
  }

  @Test
  void commentsForeignFieldsAndOtherLineEndsAreUnderstood() {
    var done =
        complete((request, reply) -> {
          reply.chunked();
          reply.chunk(": still here\n\n");
          reply.chunk("event: message\nid: 7\nretry: 10\n" + Reply.text("a"));
          reply.chunk(Reply.text("b").replace("\n", "\r\n"));
          reply.chunk(Reply.text("c").replace("\n", "\r"));
          reply.chunk("data: {\"choices\":\ndata:[{\"text\":\"d\",\"finish_reason\":\"x\"}]}\n\n");
          reply.chunk(Reply.usage(3, 4) + Reply.done());
        });
    assertEquals(3, done.gaps().length);
  }

  @Test
  void anAnswerWithoutTextCountsItsClosingChunkAsFirstContent() {
    var done =
        complete((request, reply) -> {
          reply.chunked();
          reply.chunk(Reply.finish() + Reply.usage(3, 4) + Reply.done());
        });
    assertEquals(done.firstContent(), done.lastContent());
    assertEquals(0, done.gaps().length);
  }
}
