package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.server.TestServer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ApiKeyTest {
  private static final TestServer SERVER =
      TestServer.start(Map.of("api-key", List.of("one", "two")));

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  private static int status(String path, String... headers) {
    return SERVER.http().get(path, headers).status();
  }

  @Test
  void apiAsksForAKey() {
    var reply = SERVER.http().get("/v1/models/demo");
    assertEquals(401, reply.status());
    assertEquals("authentication_error", reply.error().get("type").asText());
    assertEquals(401, status("/v1/models/demo", "Authorization", "Bearer three"));
    assertEquals(401, status("/v1/models/demo", "Authorization", "Basic one"));
    assertEquals(401, status("/v1/models/demo", "X-Api-Key", ""));
    assertEquals(401, SERVER.http().complete("{\"prompt\":\"a\"}").status());
  }

  @Test
  void anyOfTheKeysOpensInEitherHeader() {
    assertEquals(200, status("/v1/models/demo", "Authorization", "Bearer one"));
    assertEquals(200, status("/v1/models/demo", "Authorization", "bearer two"));
    assertEquals(200, status("/v1/models/demo", "X-Api-Key", "two"));
  }

  @Test
  void otherWaysToWriteThePathAreNoWayIn() {
    assertEquals(401, status("/v1/../v1/models/demo"));
    assertEquals(401, status("/%76%31/models/demo"));
    assertEquals(401, status("/v1/models/"));
  }

  @Test
  void pagesThatMachinesWatchAreOpen() {
    assertEquals(200, status("/health"));
    assertEquals(200, status("/load"));
    assertEquals(200, status("/v1/models"));
    assertEquals(200, status("/metrics"));
    assertEquals(200, status("/version"));
  }
}
