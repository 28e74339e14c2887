package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import dev.millrace.server.Http;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kind of body against OpenAI's published schemas. */
@Tag("conformance")
class SchemaConformanceTest {
  private static final Http HTTP = TestServer.shared().http();
  private static final String CHAT =
      "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":9";

  private static void assertValid(String schema, JsonNode body) throws IOException {
    assertEquals(Set.of(), faults(schema, body), schema + " " + body);
  }

  private static Set<ValidationMessage> faults(String schema, JsonNode body) throws IOException {
    var oracles = System.getProperty("millrace.oracles");
    assertNotNull(oracles, "the conformance lane needs the system property millrace.oracles");
    var file = Path.of(oracles, "openai", "openai-schemas-chat-completions.json");
    var document = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    document.put("$ref", "#/components/schemas/" + schema);
    var validator = JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(document);
    return validator.validate(body);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"temperature\":0",
        "\"n\":2,\"seed\":1",
        "\"logprobs\":true",
        "\"logprobs\":true,\"top_logprobs\":3,\"stop\":\"e\""
      })
  void chatIsValidWholeAndStreamed(String options) throws IOException {
    var asked = "{" + CHAT + "," + options;
    assertValid("CreateChatCompletionResponse", HTTP.chat(asked + "}").json());
    var reply = HTTP.chat(asked + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    assertFalse(reply.chunks().isEmpty());
    for (var chunk : reply.chunks()) {
      assertValid("CreateChatCompletionStreamResponse", chunk);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"temperature\":0", "\"n\":2", "\"logprobs\":2"})
  void completionIsValidWholeAndStreamed(String options) throws IOException {
    var asked = "{\"prompt\":[\"a\",[5]],\"max_tokens\":9," + options;
    assertValid("CreateCompletionResponse", HTTP.complete(asked + "}").json());
    for (var chunk : HTTP.complete(asked + ",\"stream\":true}").chunks()) {
      // the schema has no word for chunks, whose reason is null but in the last
      for (var choice : chunk.get("choices")) {
        if (choice.get("finish_reason").isNull()) {
          ((ObjectNode) choice).put("finish_reason", "stop");
        }
      }
      assertValid("CreateCompletionResponse", chunk);
    }
  }

  @Test
  void schemasSeeWhatIsMissing() throws IOException {
    var body = HTTP.chat("{" + CHAT + "}").json();
    ((ObjectNode) body.at("/choices/0/message")).remove("refusal");
    assertFalse(faults("CreateChatCompletionResponse", body).isEmpty());
  }

  @Test
  void modelsAndErrorsAreValid() throws IOException {
    assertValid("ListModelsResponse", HTTP.get("/v1/models").json());
    assertValid("Model", HTTP.get("/v1/models/" + TestServer.MODEL).json());
    assertValid("ErrorResponse", HTTP.get("/v1/models/none").json());
    assertValid("ErrorResponse", HTTP.chat("{}").json());
    assertValid("ErrorResponse", HTTP.get("/v1//models").json());
  }
}
