package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A model whose file is harmed while it answers, the same in whatever way it is computed. Also a
 * program, for a JVM without the library of native kernels: FOLDER HARM KERNELS.
 */
final class LostModel {
  private static final String LONG =
      "{\"prompt\":[5,6,7],\"n\":4,\"max_tokens\":4000,\"ignore_eos\":true}";
  private static final String WARM = LONG.replace("4000", "500");
  private static final String SHORT = "{\"prompt\":[5,6,7],\"max_tokens\":4}";

  /** What is done to a file. */
  enum Harm {
    CUT_OFF,
    EMPTIED,
    OVERWRITTEN;

    private void doTo(Path file) throws IOException {
      try (var opened = new RandomAccessFile(file.toFile(), "rw")) {
        switch (this) {
          case CUT_OFF -> opened.setLength(opened.length() / 2);
          case EMPTIED -> opened.setLength(0);
          case OVERWRITTEN -> {
            opened.seek(opened.length() / 2);
            opened.write(new byte[1000]);
          }
        }
      }
    }
  }

  private LostModel() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    harm(
        directory(Path.of(arguments[0])),
        "model.safetensors",
        Harm.valueOf(arguments[1]),
        arguments[2]);
    System.exit(0);
  }

  /** A model directory of one's own. */
  static Path directory(Path folder) throws IOException {
    try (var files = Files.newDirectoryStream(Path.of(TestServer.MODEL_DIRECTORY))) {
      for (var file : files) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    return folder;
  }

  /** Harms the weights under a running request, and holds the server to what it promises. */
  static void harm(Path model, String weights, Harm harm, String kernels)
      throws IOException, InterruptedException {
    var file = weights.isEmpty() ? model : model.resolve(weights);
    Map<String, Object> flags = Map.of("model", model.toString(), "cpu-kernels", kernels);
    try (var server = TestServer.start(flags)) {
      var http = server.http();
      assertEquals(200, http.complete(WARM).status()); // so that compiled code meets the harm
      var running = CompletableFuture.supplyAsync(() -> http.complete(LONG));
      while (http.metric("vllm:num_requests_running") == 0 && !running.isDone()) {
        Thread.sleep(1);
      }
      harm.doTo(file);
      var reply = running.join();
      for (int i = 0; i < 100 && reply.status() == 200; i++) { // it was over before it was seen
        Thread.sleep(50);
        reply = http.complete(SHORT);
      }
      assertEquals(503, reply.status(), reply.text());
      assertEquals("model_lost", reply.error().path("code").asText(), reply.text());
      var message = reply.error().path("message").asText();
      assertTrue(message.contains(file.toString()), message);
      assertFailed(server);
      assertAnotherModelServes(server);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void assertFailed(TestServer server) {
    var late = server.http().complete(SHORT);
    assertEquals(503, late.status(), late.text());
    assertEquals("model_lost", late.error().path("code").asText());
    var health = server.http().get("/health");
    assertEquals(503, health.status());
    assertEquals("failed", health.json().path("status").asText());
    assertEquals("model_lost", health.json().path("error").asText());
    var ready = server.http().get("/ready");
    assertEquals(503, ready.status());
    assertEquals("failed", ready.json().path("status").asText());
    assertTrue(ready.json().path("failure").asText().contains("loaded again"), ready.text());
    var model = new Http(server.adminPort()).get("/admin/model");
    assertTrue(model.json().path("failure").asText().contains("loaded again"), model.text());
  }

  private static void assertAnotherModelServes(TestServer server) {
    var wanted = "{\"model\":\"%s\"}".formatted(TestServer.MODEL_DIRECTORY);
    var loaded = new Http(server.adminPort()).put("/admin/model", wanted);
    assertEquals(200, loaded.status(), loaded.text());
    assertTrue(loaded.json().path("failure").isMissingNode(), loaded.text());
    assertEquals(200, server.http().get("/health").status());
    assertEquals(200, server.http().complete(SHORT).status());
  }
}
