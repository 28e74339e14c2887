package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class AdminApiTest {
  @TempDir private Path plugins;
  private TestServer server;
  private Http admin;

  @BeforeEach
  void start() throws IOException {
    PluginFolder.fill(plugins);
    server = TestServer.start(Map.of("plugins", plugins.toString()));
    admin = new Http(server.adminPort());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static void assertError(int status, String code, String said, Http.Reply reply) {
    assertEquals(status, reply.status(), reply.text());
    assertEquals(code, reply.error().path("code").asText(), reply.text());
    assertTrue(reply.error().path("message").asText().contains(said), reply.text());
  }

  private JsonNode plugin(String id) {
    var all = admin.get("/admin/plugins").json().get("plugins");
    return StreamSupport.stream(all.spliterator(), false)
        .filter(plugin -> plugin.get("id").asText().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private Http.Reply load(String jar) {
    return admin.post("/admin/plugins", "{\"jar\":\"" + jar + "\"}");
  }

  private Http.Reply schedule(String name) {
    return admin.put("/admin/scheduler", "{\"name\":\"" + name + "\"}");
  }

  @Test
  void pluginsAreListedWithWhatUsesThem() {
    var schedulers = plugin("millrace-schedulers");
    assertEquals("0.1.0", schedulers.get("version").asText());
    assertEquals("scheduler continuous", schedulers.at("/used_by/0").asText());
    assertTrue(schedulers.get("schedulers").toString().contains("\"static\""));
    assertEquals("model noise-model", plugin("millrace-models").at("/used_by/0").asText());
    assertTrue(plugin("millrace-models").get("models").toString().contains("LlamaForCausalLM"));
  }

  @Test
  void newVersionLoadsBesideTheOldTheSwitchMovesOverTheOldUnloads() throws IOException {
    PluginFolder.pack(plugins.resolve("last-1.jar"), "last", "1.0.0", LastComePlugin.class);
    assertEquals(201, load("last-1.jar").status());
    assertEquals(200, schedule("last-come").status());
    PluginFolder.pack(plugins.resolve("last-2.jar"), "last", "1.1.0", LastComePlugin.class);
    var loaded = load("last-2.jar");
    assertEquals(201, loaded.status(), loaded.text());
    assertEquals("1.1.0", loaded.json().get("version").asText());
    assertError(
        409,
        "plugin_in_use",
        "last 1.0.0 is held by scheduler last-come",
        admin.delete("/admin/plugins/last?version=1.0.0"));
    assertEquals(200, schedule("last-come").status());
    assertEquals(204, admin.delete("/admin/plugins/last?version=1.0.0").status());
    assertError(409, "plugin_in_use", "last 1.1.0", admin.delete("/admin/plugins/last"));
    assertEquals("1.1.0", plugin("last").get("version").asText());
    assertEquals(200, schedule("priority").status());
    assertEquals(204, admin.delete("/admin/plugins/last").status());
    assertError(404, "unknown_plugin", "last", admin.delete("/admin/plugins/last"));
    assertEquals(200, server.http().complete("{\"prompt\":\"a\",\"max_tokens\":2}").status());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "../../etc/passwd | 404 | unknown_plugin",
        "absent.jar | 404 | unknown_plugin",
        "broken.jar | 400 | invalid_plugin",
        "millrace-schedulers.jar | 404 | unknown_plugin",
      })
  void jarThatCannotBeLoadedSaysWhy(String jar, int status, String code) throws IOException {
    Files.writeString(plugins.resolve("broken.jar"), "no jar");
    assertError(status, code, jar, load(jar));
    assertEquals(200, server.http().complete("{\"prompt\":\"a\",\"max_tokens\":2}").status());
  }

  @Test
  void wrongRequestsAreRefused() {
    assertError(400, "invalid_request", "jar", admin.post("/admin/plugins", "{}"));
    assertError(400, "invalid_request", "", admin.post("/admin/plugins", "{\"jar\":"));
    assertError(400, "invalid_request", "", admin.post("/admin/plugins", "{\"path\":\"a.jar\"}"));
    assertError(400, "invalid_request", "name", admin.put("/admin/scheduler", "{}"));
    assertError(400, "invalid_request", "", admin.put("/admin/model", ""));
    assertError(404, "invalid_request", "", admin.get("/admin/nothing"));
    assertError(405, "invalid_request", "", admin.delete("/admin/scheduler"));
    assertError(
        415,
        "invalid_request",
        "",
        admin.post("/admin/plugins", "{}", "Content-Type", "text/plain"));
  }

  @Test
  void otherPagesOfThePortStayAndTheApiPortHasNoAdmin() {
    assertEquals(200, admin.get("/healthcheck").status());
    assertEquals(404, server.http().get("/admin/plugins").status());
  }

  @Test
  void schedulerIsShownAndSwitched() {
    var before = admin.get("/admin/scheduler").json();
    assertEquals("continuous", before.get("name").asText());
    assertTrue(before.get("deposed").isNull());
    assertEquals(0, before.get("refused_plans").asInt(-1));
    var reply =
        admin.put("/admin/scheduler", "{\"name\":\"static\",\"settings\":{\"batch-size\":\"2\"}}");
    assertEquals(200, reply.status(), reply.text());
    assertEquals("static", reply.json().get("name").asText());
    assertEquals("2", reply.json().at("/settings/batch-size").asText());
    assertEquals("static", server.http().get("/ready").json().get("scheduler").asText());
    assertError(400, "invalid_configuration", "loaded: [continuous", schedule("absent"));
    var wrong = admin.put("/admin/scheduler", "{\"name\":\"static\",\"settings\":{\"a\":\"b\"}}");
    assertEquals(400, wrong.status(), wrong.text());
    assertEquals("static", admin.get("/admin/scheduler").json().get("name").asText());
  }

  @Test
  void schedulerThatWasDeposedIsToldOf() throws IOException {
    PluginFolder.pack(
        plugins.resolve("bad.jar"), "bad", "1.0.0", FaultyModelTest.ThrowingPlugin.class);
    assertEquals(201, load("bad.jar").status());
    assertEquals(200, schedule("throwing").status());
    var http = server.http();
    assertTrue(http.get("/ready").json().path("deposed").isMissingNode());
    var asked = "{\"prompt\":[5,6,7],\"max_tokens\":74,\"ignore_eos\":true}";
    assertEquals(200, http.complete(asked).status());
    var ready = http.get("/ready");
    assertEquals(200, ready.status());
    var why = "scheduler throwing failed 3 times in a row";
    assertEquals(why, ready.json().path("deposed").asText());
    assertEquals(why, admin.get("/admin/scheduler").json().path("deposed").asText());
    assertEquals(3, http.metric("millrace:refused_plans_total"));
    assertEquals(200, schedule("continuous").status());
    assertTrue(http.get("/ready").json().path("deposed").isMissingNode());
    assertEquals(204, admin.delete("/admin/plugins/bad").status());
  }
}
