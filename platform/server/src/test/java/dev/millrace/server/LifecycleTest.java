package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LifecycleTest {
  @Test
  void healthFollowsTheModel() throws Exception {
    var mayLoad = new CountDownLatch(1);
    var server =
        TestServer.start(
            (settings, plugins, listener) -> {
              try {
                mayLoad.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return new EngineOpener().open(settings, plugins, listener);
            },
            Map.of());
    try (server) {
      var http = server.http();
      var admin = new Http(server.adminPort());
      assertEquals(503, http.get("/health").status());
      assertEquals(500, admin.get("/healthcheck").status());
      var early = http.complete("{\"prompt\":\"a\"}");
      assertEquals(503, early.status());
      assertEquals("unavailable", early.error().get("code").asText());
      assertEquals(503, http.get("/v1/models").status());
      var change = admin.put("/admin/scheduler", "{\"name\":\"static\"}");
      assertEquals(503, change.status(), change.text());
      assertTrue(change.text().contains("a model is being loaded"), change.text());
      assertTrue(http.get("/metrics").text().contains("vllm:num_requests_running"));

      mayLoad.countDown();
      while (!server.slot().serves()) {
        Thread.sleep(5);
      }
      assertEquals(200, http.get("/health").status());
      assertEquals(200, admin.get("/healthcheck").status());
      assertEquals(200, http.complete("{\"prompt\":\"a\"}").status());

      assertEquals(0, server.slot().drain(Duration.ofSeconds(10)));
      assertEquals(503, http.get("/health").status());
      assertEquals(503, http.complete("{\"prompt\":\"a\"}").status());
    }
  }

  @Test
  void engineThatStopsIsSaidInTheStreamAndInTheStatus() throws Exception {
    var endless = "{\"prompt\":\"a\",\"max_tokens\":4000,\"ignore_eos\":true,\"stream\":%s}";
    try (var server = TestServer.start(Map.of())) {
      var streamed = CompletableFuture.supplyAsync(() -> ask(server, endless, true));
      var whole = CompletableFuture.supplyAsync(() -> ask(server, endless, false));
      while (server.slot().stats().orElseThrow().running() < 2) {
        Thread.sleep(5);
      }
      // the first chunk must be on its way, or the stream would get a status, too
      Thread.sleep(100);
      server.slot().close();
      assertEquals(503, whole.get().status());
      assertEquals(200, streamed.get().status());
      assertEquals("[DONE]", streamed.get().data().getLast());
      assertEquals("unavailable", streamed.get().chunks().getLast().at("/error/code").asText());
    }
  }

  private static Http.Reply ask(TestServer server, String body, boolean stream) {
    return server.http().complete(body.formatted(stream));
  }

  @Test
  void modelAnswersToEachOfItsNames() {
    try (var server = TestServer.start(Map.of("served-model-name", "first,second"))) {
      var http = server.http();
      var models = http.get("/v1/models").json().get("data");
      assertEquals(2, models.size());
      for (var name : new String[] {"first", "second"}) {
        assertEquals("first", http.get("/v1/models/" + name).json().get("root").asText());
        var reply = http.complete("{\"model\":\"%s\",\"prompt\":\"a\"}".formatted(name));
        assertEquals(200, reply.status(), reply.text());
      }
      assertEquals(404, http.complete("{\"model\":\"third\",\"prompt\":\"a\"}").status());
    }
  }

  @Test
  void modelIsDescribed() {
    var http = TestServer.shared().http();
    var model = http.get("/v1/models").json().at("/data/0");
    assertEquals(TestServer.MODEL, model.get("id").asText());
    assertEquals(4096, model.get("max_model_len").asInt());
    assertEquals(model, http.get("/v1/models/" + TestServer.MODEL).json());
    assertTrue(http.get("/version").json().has("version"));
  }
}
