package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A scheduler from a jar that throws, stalls or plans nonsense costs no request anything. */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileSchedulerTest {
  private TestServer server;
  private Http admin;

  @BeforeAll
  void start(@TempDir Path plugins) throws IOException {
    PluginFolder.fill(plugins, HostilePlugin.class);
    server = TestServer.start(Map.of("plugins", plugins.toString()));
    admin = new Http(server.adminPort());
  }

  @AfterAll
  void stop() {
    server.close();
  }

  private void schedule(String name, String mode) {
    var body = "{\"name\":\"%s\",\"settings\":{%s}}".formatted(name, mode);
    var reply = admin.put("/admin/scheduler", body);
    assertEquals(200, reply.status(), reply.text());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "throws",
        "error",
        "deep",
        "memory",
        "null",
        "slow",
        "stuck",
        "interrupts",
        "unknown",
        "twice",
        "much",
        "evicts",
        "past",
        "memo"
      })
  void costsNobodyAnything(String mode) throws Exception {
    schedule("continuous", "");
    var alone = answers("continuous", "");
    assertEquals(alone, answers("hostile", "\"mode\":\"" + mode + "\""));
    var ready = server.http().get("/ready");
    assertEquals(200, ready.status());
    assertEquals(
        "scheduler hostile failed 3 times in a row", ready.json().path("deposed").asText());
    while (server.http().metric("vllm:num_requests_running") > 0) {
      Thread.sleep(1); // an answer may be out before its step has ended; what is lost stays
    }
  }

  /** Of twelve requests, in the middle of which this scheduler takes over. */
  private List<String> answers(String scheduler, String settings) throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var replies = new ArrayList<CompletableFuture<Http.Reply>>();
      for (int i = 0; i < 12; i++) {
        var body =
            "{\"prompt\":[%d,6,7],\"max_tokens\":60,\"ignore_eos\":true,\"temperature\":0}"
                .formatted(i + 5);
        replies.add(CompletableFuture.supplyAsync(() -> server.http().complete(body), threads));
        if (i == 6) {
          schedule(scheduler, settings);
        }
      }
      var answers = new ArrayList<String>();
      for (var reply : replies) {
        assertEquals(200, reply.get().status(), reply.get().text());
        answers.add(reply.get().json().at("/choices/0/text").asText());
      }
      return answers;
    }
  }
}
