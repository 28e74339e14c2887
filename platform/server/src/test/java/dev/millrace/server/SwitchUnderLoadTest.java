package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Schedulers and models change while many streams run, and no stream notices. */
@Timeout(120)
class SwitchUnderLoadTest {
  private static final int STREAMS = 200;
  private static final int LENGTH = 40;

  @TempDir private Path plugins;

  /** On the slow device, so that the streams are in flight for long enough. */
  private static Map<String, Object> flags(Path plugins) {
    return Map.of(
        "plugins",
        plugins.toString(),
        "max-num-seqs",
        "256",
        "max-queued-requests",
        "1000",
        "cpu-kernels",
        "reference");
  }

  private static String request(int i, int tokens) {
    return "{\"prompt\":[%d,%d,7],\"max_tokens\":%d,\"ignore_eos\":true,\"temperature\":0,\"logprobs\":1,\"stream\":true}"
        .formatted(i + 3, 2 * i + 5, tokens + i % 7);
  }

  /** Tokens and log-probabilities of each stream, begun at once, while something happens. */
  private static List<List<JsonNode>> streams(TestServer server, int tokens, Changes changes)
      throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      double before = begun(server);
      var replies = new ArrayList<CompletableFuture<Http.Reply>>();
      for (int i = 0; i < STREAMS; i++) {
        var body = request(i, tokens);
        replies.add(CompletableFuture.supplyAsync(() -> server.http().complete(body), threads));
      }
      while (begun(server) < before + STREAMS) {
        Thread.sleep(1);
      }
      changes.make();
      var answers = new ArrayList<List<JsonNode>>();
      for (var reply : replies) {
        assertEquals(200, reply.get().status(), reply.get().text());
        assertEquals("[DONE]", reply.get().data().getLast());
        var chunks = reply.get().chunks();
        assertEquals("length", chunks.getLast().at("/choices/0/finish_reason").asText());
        answers.add(chunks.stream().map(chunk -> chunk.get("choices")).toList());
      }
      return answers;
    }
  }

  private interface Changes {
    void make() throws Exception;
  }

  /** Requests that a step has been planned for, ever. */
  private static double begun(TestServer server) {
    return server.http().metric("vllm:request_queue_time_seconds_count");
  }

  private static int inside(TestServer server) {
    var stats = server.slot().stats().orElseThrow();
    return stats.running() + stats.waiting();
  }

  @Test
  void tenSwitchesOfTheSchedulerChangeNoStream() throws Exception {
    PluginFolder.fill(plugins);
    List<List<JsonNode>> unswitched;
    try (var server = TestServer.start(flags(plugins))) {
      unswitched = streams(server, LENGTH, () -> {});
    }
    try (var server = TestServer.start(flags(plugins))) {
      var admin = new Http(server.adminPort());
      var switched = streams(server, LENGTH, () -> tenSwitches(server, admin));
      assertEquals(unswitched, switched);
      assertEquals(0, server.http().metric("millrace:refused_plans_total"));
      assertEquals(0, inside(server));
    }
  }

  private void tenSwitches(TestServer server, Http admin) throws Exception {
    PluginFolder.pack(plugins.resolve("last.jar"), "last", "1.0.0", LastComePlugin.class);
    assertEquals(201, admin.post("/admin/plugins", "{\"jar\":\"last.jar\"}").status());
    var names =
        List.of(
            "last-come",
            "static",
            "priority",
            "shortest-first",
            "continuous",
            "last-come",
            "shortest-first",
            "static",
            "last-come",
            "continuous");
    for (var name : names) {
      assertTrue(inside(server) >= STREAMS / 2, "all streams are still in flight");
      var reply = admin.put("/admin/scheduler", "{\"name\":\"" + name + "\"}");
      assertEquals(200, reply.status(), reply.text());
      Thread.sleep(20); // some steps of each
    }
    assertEquals(204, admin.delete("/admin/plugins/last").status());
  }

  @Test
  void modelIsReplacedWhileTheOldOneDrains() throws Exception {
    PluginFolder.fill(plugins);
    try (var server = TestServer.start(flags(plugins))) {
      var admin = new Http(server.adminPort());
      var before = streams(server, LENGTH, () -> {});
      var ask = "{\"prompt\":[5,6,7],\"max_tokens\":5,\"temperature\":0,\"logprobs\":1}";
      var exact = server.http().complete(ask).json().at("/choices/0/logprobs");
      var during =
          streams(
              server,
              LENGTH,
              () -> {
                var reply = admin.put("/admin/model", "{\"quantization\":\"int8\"}");
                assertEquals(200, reply.status(), reply.text());
                assertEquals("int8", reply.json().at("/settings/quantization").asText());
                var formats = reply.json().get("weights").findValuesAsText("format");
                assertTrue(formats.contains("INT8 by row"), reply.text());
                assertEquals("demo", reply.json().at("/leaving/0/name").asText());
                // new requests go to the new model while the old one has streams
                var rounded = server.http().complete(ask).json().at("/choices/0/logprobs");
                assertTrue(!rounded.equals(exact), rounded.toString());
              });
      assertEquals(before, during);
      while (!admin.get("/admin/model").json().get("leaving").isEmpty()) {
        Thread.sleep(5);
      }
      assertEquals(1, admin.get("/admin/plugins").json().at("/plugins/0/used_by").size());
    }
  }

  @Test
  void modelThatCannotBeServedLeavesTheOldOne() throws IOException {
    PluginFolder.fill(plugins);
    try (var server = TestServer.start(flags(plugins))) {
      var admin = new Http(server.adminPort());
      refused(admin, "{\"model\":\"/absent\"}", 400, "invalid_checkpoint", "/absent");
      refused(admin, "{\"max-model-len\":5000}", 400, "invalid_configuration", "4096");
      refused(admin, "{\"quantization\":\"int3\"}", 400, "invalid_configuration", "int3");
      refused(admin, "{\"max-num-seq\":5}", 400, "invalid_configuration", "mean \"max-num-seqs\"");
      refused(admin, "{\"port\":5}", 400, "invalid_configuration", "port");
      refused(
          admin,
          "{\"kv-cache-memory-bytes\":\"100TiB\",\"max-num-seqs\":2000000000}",
          507,
          "out_of_memory",
          "the KV cache of");
      assertEquals(200, server.http().complete("{\"prompt\":\"a\",\"max_tokens\":2}").status());
      assertEquals(0, admin.get("/admin/model").json().get("leaving").size());
      assertEquals("0.1.0", admin.get("/admin/plugins").json().at("/plugins/0/version").asText());
    }
  }

  private static void refused(Http admin, String body, int status, String code, String said) {
    var reply = admin.put("/admin/model", body);
    assertEquals(status, reply.status(), reply.text());
    assertEquals(code, reply.error().path("code").asText(), reply.text());
    assertTrue(reply.error().path("message").asText().contains(said), reply.text());
  }
}
