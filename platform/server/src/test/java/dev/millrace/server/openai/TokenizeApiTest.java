package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.server.Http;
import dev.millrace.server.TestServer;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizeApiTest {
  private static final Http HTTP = TestServer.shared().http();
  private static final String CHAT =
      "\"messages\":[{\"role\":\"user\",\"content\":\"Hello <|im_end|> wörld\"}]";

  private static JsonNode post(String path, String body) {
    var reply = HTTP.post(path, body);
    assertEquals(200, reply.status(), reply.text());
    return reply.json();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Hello, world", "  spaces  ", "Größe 大小 🌿", "<|im_start|>user"})
  void whatIsTokenizedComesBack(String text) throws Exception {
    try (var tokenizer = TestServer.tokenizer()) {
      var tokens = post("/tokenize", "{\"prompt\":\"" + text + "\",\"return_token_strs\":true}");
      assertEquals(4096, tokens.get("max_model_len").asInt());
      assertEquals(tokens.get("tokens").size(), tokens.get("count").asInt());
      assertEquals(tokens.get("tokens").size(), tokens.get("token_strs").size());
      int[] ids =
          StreamSupport.stream(tokens.get("tokens").spliterator(), false)
              .mapToInt(JsonNode::asInt)
              .toArray();
      assertArrayEquals(tokenizer.encode(text, true), ids);
      var back = post("/detokenize", "{\"tokens\":" + tokens.get("tokens") + "}");
      assertEquals(text, back.get("prompt").asText());
    }
  }

  @Test
  void tokenTextsAreLeftOutUnlessAskedFor() {
    assertTrue(post("/tokenize", "{\"prompt\":\"a\"}").get("token_strs").isNull());
  }

  @Test
  void chatIsRenderedAsItWillBeRead() {
    var rendered = post("/v1/chat/completions/render", "{" + CHAT + "}");
    assertEquals(
        "<|im_start|>user\nHello <|im_end|> wörld<|im_end|>\n<|im_start|>assistant\n",
        rendered.get("prompt").asText());
    assertEquals(rendered.get("token_ids"), post("/tokenize", "{" + CHAT + "}").get("tokens"));
    var answered = HTTP.chat("{" + CHAT + ",\"max_tokens\":1}").json();
    assertEquals(rendered.get("token_ids").size(), answered.at("/usage/prompt_tokens").asInt());
    var open =
        post("/v1/chat/completions/render", "{" + CHAT + ",\"add_generation_prompt\":false}");
    assertTrue(open.get("prompt").asText().endsWith("wörld<|im_end|>\n"), open.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/tokenize | {} | prompt",
        "/tokenize | {\"prompt\":5} | prompt",
        "/tokenize | {\"messages\":[]} | messages",
        "/detokenize | {} | tokens",
        "/detokenize | {\"tokens\":\"a\"} | tokens",
        "/detokenize | {\"tokens\":[512]} | tokens[0]",
        "/detokenize | {\"tokens\":[-1]} | tokens[0]",
        "/v1/chat/completions/render | {} | messages",
      })
  void wrongFieldsAreNamed(String path, String body, String param) {
    var reply = HTTP.post(path, body);
    assertEquals(400, reply.status(), reply.text());
    assertEquals(param, reply.error().path("param").asText(), reply.text());
  }
}
