package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Greedy answers of a model of random weights, over HTTP, against those of Hugging Face
 * transformers.
 */
class TransformersApiTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final double TOLERANCE = 2e-5;

  static Stream<JsonNode> answers() throws IOException {
    var file = Path.of("src/test/resources/noise-model-answers.json").toFile();
    var answers = MAPPER.readTree(file).get("answers");
    return StreamSupport.stream(answers.spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("answers")
  void completionsAreThoseOfTransformers(JsonNode wanted) {
    var body = request(wanted);
    body.set("prompt", wanted.get("prompt").isNull() ? wanted.get("ids") : wanted.get("prompt"));
    var reply = TestServer.shared().http().complete(body.put("logprobs", 0).toString());
    assertEquals(200, reply.status(), reply.text());
    var choice = reply.json().at("/choices/0");
    assertEquals(wanted.get("text").asText(), choice.get("text").asText());
    assertEquals(wanted.get("ids").size(), reply.json().at("/usage/prompt_tokens").asInt());
    var logprobs = choice.at("/logprobs/token_logprobs");
    assertEquals(wanted.get("tokens").size(), logprobs.size());
    for (int i = 0; i < logprobs.size(); i++) {
      double expected = wanted.get("logprobs").get(i).asDouble();
      assertEquals(expected, logprobs.get(i).asDouble(), TOLERANCE, "token " + i);
    }
  }

  @Test
  void aChatIsItsTemplatesText() throws IOException {
    var wanted = answers().reduce((_, last) -> last).orElseThrow();
    var body = request(wanted);
    var messages = body.putArray("messages");
    messages.addObject().put("role", "system").put("content", "Be brief.");
    messages.addObject().put("role", "user").put("content", "Where is my order?");
    var reply = TestServer.shared().http().chat(body.put("logprobs", true).toString());
    assertEquals(200, reply.status(), reply.text());
    assertEquals(
        wanted.get("text").asText(), reply.json().at("/choices/0/message/content").asText());
    var content = reply.json().at("/choices/0/logprobs/content");
    assertTrue(content.size() > 0);
    for (int i = 0; i < content.size(); i++) {
      double expected = wanted.get("logprobs").get(i).asDouble();
      assertEquals(expected, content.get(i).get("logprob").asDouble(), TOLERANCE, "token " + i);
    }
  }

  private static ObjectNode request(JsonNode wanted) {
    return MAPPER
        .createObjectNode()
        .put("max_tokens", wanted.get("tokens").size())
        .put("temperature", 0)
        .put("ignore_eos", true)
        .put("skip_special_tokens", false);
  }
}
