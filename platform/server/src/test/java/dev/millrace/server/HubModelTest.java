package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.hub.PullListener;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server whose model comes from a hub. */
class HubModelTest {
  private static final String ASKED =
      "{\"prompt\": \"Where is my order?\", \"max_tokens\": 16, \"temperature\": 0}";

  @TempDir Path cache;

  private EngineOpener opener(PlainHub hub) {
    return new EngineOpener(new ModelFinder(() -> hub.settings(cache), PullListener.NONE));
  }

  private static void await(TestServer server) throws InterruptedException {
    while (!server.slot().serves()) {
      Thread.sleep(5);
    }
  }

  @Test
  void modelOfAHubAnswersLikeItsDirectory() throws Exception {
    String expected =
        TestServer.shared().http().complete(ASKED).json().at("/choices/0/text").asText();
    try (var hub = new PlainHub(Path.of(TestServer.MODEL_DIRECTORY));
        var server = TestServer.start(opener(hub), Map.of("model", "org/tiny"))) {
      await(server);
      var reply = server.http().complete(ASKED);
      assertEquals(200, reply.status(), reply.text());
      assertEquals(expected, reply.json().at("/choices/0/text").asText());
      assertFalse(hub.asked.toString().contains("README.md"), hub.asked.toString());
    }
    try (var nothing = new PlainHub(cache.resolve("none"));
        var server = TestServer.start(opener(nothing), Map.of("model", "org/tiny"))) {
      await(server); // from the cache: this hub fails
      assertEquals(expected, server.http().complete(ASKED).json().at("/choices/0/text").asText());
    }
  }

  @Test
  void modelIsReplacedByOneOfAHub() throws Exception {
    try (var hub = new PlainHub(Path.of(TestServer.MODEL_DIRECTORY));
        var server = TestServer.start(opener(hub), Map.of())) {
      await(server);
      var admin = new Http(server.adminPort());
      var missing = admin.put("/admin/model", "{\"model\": \"org/other\"}");
      assertEquals(404, missing.status(), missing.text());
      assertTrue(missing.error().get("message").asText().contains("no model org/other"));
      assertTrue(server.slot().serves());
      var reply =
          admin.put("/admin/model", "{\"model\": \"org/tiny\", \"served-model-name\": null}");
      assertEquals(200, reply.status(), reply.text());
      assertEquals("org/tiny", reply.json().at("/names/0").asText());
    }
  }

  @Test
  void nothingLargeIsFetchedForAModelThatCannotBeServed(@TempDir Path model) throws IOException {
    try (var files = Files.list(Path.of(TestServer.MODEL_DIRECTORY))) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceAll("\"[A-Za-z0-9]+ForCausalLM\"", "\"Mamba9\"")
            .replaceAll("\"model_type\": \"[a-z0-9]+\"", "\"model_type\": \"mamba9\""));
    try (var hub = new PlainHub(model);
        var plugins = PluginCatalog.open(Path.of(TestServer.PLUGINS))) {
      var settings = Settings.defaults().with(Keys.MODEL, "org/tiny");
      var e =
          assertThrows(
              InferenceException.class,
              () -> opener(hub).open(settings, plugins, EngineListener.NONE));
      assertTrue(String.valueOf(e.getMessage()).contains("Mamba9"), e::toString);
      assertFalse(hub.asked.toString().contains("model.safetensors"), hub.asked.toString());
    }
  }
}
