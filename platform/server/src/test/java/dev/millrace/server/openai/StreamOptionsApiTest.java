package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.server.Http;
import dev.millrace.server.TestServer;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamOptionsApiTest {
  private static final Http HTTP = TestServer.shared().http();

  private static List<JsonNode> chunks(String options) {
    var reply =
        HTTP.chat(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":4,"
                + "\"ignore_eos\":true,\"stream\":true%s}".formatted(options));
    assertEquals(200, reply.status(), reply.text());
    return reply.chunks();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",\"stream_options\":null",
        ",\"stream_options\":{}",
        ",\"stream_options\":{\"include_usage\":false}",
        ",\"stream_options\":{\"include_usage\":false,\"continuous_usage_stats\":true}",
        ",\"stream_options\":{\"continuous_usage_stats\":true}"
      })
  void usageIsToldOnlyToThoseWhoAsk(String options) {
    var chunks = chunks(options);
    assertTrue(chunks.stream().noneMatch(chunk -> chunk.has("usage")), chunks.toString());
    assertTrue(chunks.stream().noneMatch(chunk -> chunk.get("choices").isEmpty()));
  }

  @Test
  void emptyOptionsAreNoneWithoutAStreamToo() {
    var asked = "{\"prompt\":\"a\",\"max_tokens\":1,\"stream_options\":{}}";
    assertEquals(200, HTTP.complete(asked).status());
  }

  @Test
  void whatStandsRoundTheChoicesStaysTheSame() {
    for (var name : List.of("id", "object", "created", "model", "system_fingerprint")) {
      var values = new HashSet<JsonNode>();
      for (var chunk : chunks(",\"stream_options\":{\"include_usage\":true}")) {
        values.add(chunk.get(name));
      }
      assertEquals(1, values.size(), name + " is " + values);
    }
  }
}
