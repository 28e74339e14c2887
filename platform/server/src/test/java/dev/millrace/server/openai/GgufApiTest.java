package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models in GGUF files over HTTP, against Hugging Face transformers with the weights that libggml
 * makes of the same files.
 */
class GgufApiTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Path FOLDER = TestServer.ggufFolder();
  private static final double TOLERANCE = 2e-5;

  @ParameterizedTest
  @ValueSource(strings = {"noise-f16", "noise-q8_0", "noise-q4_0", "wide-q4_k_m"})
  void answersAreThoseOfTransformers(String name) throws IOException {
    try (var server =
        TestServer.start(Map.of("model", FOLDER.resolve(name + ".gguf").toString()))) {
      for (JsonNode wanted : answers(name)) {
        var body = request(wanted);
        body.set(
            "prompt", wanted.get("prompt").isNull() ? wanted.get("ids") : wanted.get("prompt"));
        var reply = server.http().complete(body.toString());
        assertEquals(200, reply.status(), reply.text());
        assertEquals(wanted.get("text").asText(), reply.json().at("/choices/0/text").asText());
        assertEquals(wanted.get("ids").size(), reply.json().at("/usage/prompt_tokens").asInt());
        var logprobs = reply.json().at("/choices/0/logprobs/token_logprobs");
        assertEquals(wanted.get("tokens").size(), logprobs.size());
        for (int i = 0; i < logprobs.size(); i++) {
          double expected = wanted.get("logprobs").get(i).asDouble();
          assertEquals(expected, logprobs.get(i).asDouble(), TOLERANCE, "token " + i);
        }
      }
    }
  }

  @Test
  void aChatIsTheTextOfTheFilesOwnTemplate() throws IOException {
    JsonNode wanted = answers("noise-q8_0").get(6);
    var body = request(wanted);
    body.remove("logprobs");
    var messages = body.putArray("messages");
    messages.addObject().put("role", "system").put("content", "Be brief.");
    messages.addObject().put("role", "user").put("content", "Where is my order?");
    var file = FOLDER.resolve("noise-q8_0.gguf").toString();
    try (var server = TestServer.start(Map.of("model", file))) {
      var reply = server.http().chat(body.toString());
      assertEquals(200, reply.status(), reply.text());
      assertEquals(
          wanted.get("text").asText(), reply.json().at("/choices/0/message/content").asText());
      assertEquals(wanted.get("ids").size(), reply.json().at("/usage/prompt_tokens").asInt());
    }
  }

  private static JsonNode answers(String name) throws IOException {
    return MAPPER.readTree(Files.readString(FOLDER.resolve(name + ".json"))).get("answers");
  }

  private static ObjectNode request(JsonNode wanted) {
    return MAPPER
        .createObjectNode()
        .put("max_tokens", wanted.get("tokens").size())
        .put("temperature", 0)
        .put("logprobs", 0)
        .put("ignore_eos", true)
        .put("skip_special_tokens", false);
  }
}
