package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.server.Http.Reply;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Wild requests harm neither the server nor a well-behaved stream beside them. */
class WildRequestsTest {
  private static final int CASES = Integer.getInteger("millrace.wild.cases", 2000);
  private static final int SENDERS = 4;
  private static final Set<Integer> STATUS = Set.of(200, 400, 404, 429);
  private static final String STREAM =
      "{\"prompt\":\"Once\",\"max_tokens\":40,\"ignore_eos\":true,\"temperature\":1,\"seed\":7,"
          + "\"stream\":true}";

  private final AtomicLong next = new AtomicLong();
  private final Map<Integer, Integer> answers = new TreeMap<>();

  @Test
  @Timeout(7200)
  void areAnsweredAndHarmNobody() throws Exception {
    var flags =
        Map.<String, Object>of(
            "max-model-len",
            WildRequests.CONTEXT + "",
            "max-num-seqs",
            "8",
            "max-queued-requests",
            "64");
    try (var server = TestServer.start(flags);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var expected = text(server.http().complete(STREAM));
      assertFalse(expected.isEmpty());
      var over = new AtomicBoolean();
      var streams = new AtomicInteger();
      var neighbour =
          threads.submit(() -> {
            while (!over.get()) {
              assertEquals(expected, text(server.http().complete(STREAM)));
              streams.incrementAndGet();
            }
            return true;
          });
      Callable<Boolean> sender = () -> send(server);
      try {
        for (var sent : threads.invokeAll(Stream.generate(() -> sender).limit(SENDERS).toList())) {
          assertTrue(sent.get());
        }
      } finally {
        over.set(true);
      }
      assertTrue(neighbour.get());
      var stats = server.slot().stats().orElseThrow();
      while (stats.running() + stats.waiting() > 0) {
        Thread.sleep(1);
        stats = server.slot().stats().orElseThrow();
      }
      assertEquals(stats.totalBlocks(), stats.freeBlocks());
      assertTrue(streams.get() > 0 && answers.keySet().containsAll(Set.of(200, 400, 404)));
      System.out.println(CASES + " wild requests: " + answers + ", beside " + streams + " streams");
    }
  }

  private boolean send(TestServer server) throws Exception {
    for (long seed = next.getAndIncrement(); seed < CASES; seed = next.getAndIncrement()) {
      var wild = WildRequests.of(seed);
      if (seed % 16 == 15) {
        leave(server, wild, seed);
        continue;
      }
      var reply =
          server
              .http()
              .send(
                  HttpRequest.newBuilder()
                      .POST(BodyPublishers.ofByteArray(wild.body()))
                      .header("Content-Type", "application/json"),
                  wild.path());
      var what = "seed " + seed + ", " + wild + "\n" + reply.text();
      assertTrue(STATUS.contains(reply.status()), reply.status() + " for " + what);
      assertFalse(reply.text().contains("internal_error"), what);
      synchronized (answers) {
        answers.merge(reply.status(), 1, Integer::sum);
      }
    }
    return true;
  }

  /** Sends all or half of it and leaves, without an answer. */
  private static void leave(TestServer server, WildRequests.Request wild, long seed)
      throws Exception {
    try (var client = new RawClient(server.port())) {
      client.sendBytes(wild.path(), wild.body(), wild.body().length / (int) (1 + seed / 16 % 2));
      Thread.sleep(2);
      client.reset();
    }
  }

  private static String text(Reply reply) {
    assertEquals(200, reply.status(), reply.text());
    List<String> data = reply.data();
    assertEquals("[DONE]", data.getLast());
    return String.join(
        "", reply.chunks().stream().map(chunk -> chunk.at("/choices/0/text").asText()).toList());
  }
}
