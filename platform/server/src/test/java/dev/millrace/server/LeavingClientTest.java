package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineStats;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Clients that leave while the engine holds their request still: nothing is computed and nothing
 * written meanwhile, so that only looking at the connection can tell.
 */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LeavingClientTest {
  /** More than one, by hand: prints how long it took. */
  private static final int ROUNDS = Integer.getInteger("millrace.leaving.rounds", 1);

  private static final String ABORTED = "vllm:request_success_total{finished_reason=\"abort\"";

  private TestServer server;

  /** Where a request is held. */
  enum Place {
    QUEUED(8, 0),
    PREFILL(8, 3),
    DECODE(1, 4);

    final int prompt;
    final int computed;

    Place(int prompt, int computed) {
      this.prompt = prompt;
      this.computed = computed;
    }

    String request(boolean stream) {
      int maxTokens = HoldingPlugin.BEFORE_THE_END + computed - prompt;
      return "{\"prompt\":[%s5],\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":%s}"
          .formatted("5,".repeat(prompt - 1), maxTokens, stream);
    }

    /** Prompt tokens computed and tokens sampled, together. */
    int work() {
      return this == DECODE ? computed + 1 : computed;
    }
  }

  /** How its client asks. */
  private enum Asking {
    PLAIN,
    CHUNKED,
    SECOND_ON_ITS_CONNECTION
  }

  @BeforeAll
  void start(@TempDir Path plugins) throws IOException {
    PluginFolder.fill(plugins, HoldingPlugin.class);
    server = TestServer.start(Map.of("plugins", plugins.toString(), "scheduler", "holding"));
  }

  @AfterAll
  void stop() {
    server.close();
  }

  @ParameterizedTest
  @CsvSource({
    "QUEUED, true",
    "QUEUED, false",
    "PREFILL, true",
    "PREFILL, false",
    "DECODE, true",
    "DECODE, false"
  })
  void isNoticedWhereverItsRequestIs(Place place, boolean stream) throws Exception {
    var took = new ArrayList<Duration>();
    for (int round = 0; round < ROUNDS; round++) {
      for (var asking : Asking.values()) {
        took.add(leave(place, stream, asking, false));
        took.add(leave(place, stream, asking, true));
      }
    }
    if (ROUNDS > 1) {
      Collections.sort(took);
      System.out.printf(
          "%s, stream %s: noticed %d times, median %d ms, longest %d ms%n",
          place,
          stream,
          took.size(),
          took.get(took.size() / 2).toMillis(),
          took.getLast().toMillis());
    }
  }

  @Test
  void chunkedBodyLeavesTheConnectionToTheNextRequest() throws Exception {
    var shared = TestServer.shared();
    try (var client = new RawClient(shared.port())) {
      var body = "{\"prompt\":\"a\",\"max_tokens\":600,\"ignore_eos\":true}";
      client.sendChunked("/v1/completions", body);
      assertTrue(client.read().contains("\"finish_reason\":\"length\""));
      client.send("GET", "/version", "");
      assertTrue(client.read().startsWith("HTTP/1.1 200"));
    }
  }

  /** The time from the client's leaving to the engine's being empty. */
  private Duration leave(Place place, boolean stream, Asking asking, boolean reset)
      throws Exception {
    double aborted = metric(ABORTED);
    double work = work();
    var client = new RawClient(server.port());
    switch (asking) {
      case PLAIN -> client.send("POST", "/v1/completions", place.request(stream));
      case CHUNKED -> client.sendChunked("/v1/completions", place.request(stream));
      case SECOND_ON_ITS_CONNECTION -> {
        client.send("GET", "/version", "");
        client.read();
        client.send("POST", "/v1/completions", place.request(stream));
      }
    }
    while (inside() == 0 || work() < work + place.work()) {
      Thread.sleep(1);
    }
    long left = System.nanoTime();
    if (reset) {
      client.reset();
    } else {
      client.close();
    }
    while (inside() > 0) {
      Thread.sleep(1);
    }
    var took = Duration.ofNanos(System.nanoTime() - left);
    assertEquals(stats().totalBlocks(), stats().freeBlocks());
    assertEquals(work + place.work(), work(), "the engine was held still");
    while (metric(ABORTED) < aborted + 1) {
      Thread.sleep(1);
    }
    return took;
  }

  private EngineStats stats() {
    return server.slot().stats().orElseThrow();
  }

  private int inside() {
    return stats().running() + stats().waiting();
  }

  private double work() {
    return metric("vllm:prompt_tokens_total") + metric("vllm:generation_tokens_total");
  }

  private double metric(String name) {
    return server.http().metric(name);
  }
}
