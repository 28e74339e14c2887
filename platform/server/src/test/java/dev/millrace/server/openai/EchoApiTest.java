package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.server.Http;
import dev.millrace.server.TestServer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class EchoApiTest {
  private static final Http HTTP = TestServer.shared().http();

  private static JsonNode ok(String fields) {
    var reply = HTTP.complete("{" + fields + "}");
    assertEquals(200, reply.status(), reply.text());
    return reply.json();
  }

  private static List<Double> numbers(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false)
        .map(each -> each.isNull() ? null : (Double) each.asDouble())
        .toList();
  }

  @Test
  void answerBeginsWithItsPrompt() {
    var asked = "\"prompt\":[\"Once upon\",[5,6]],\"max_tokens\":5,\"temperature\":0,\"n\":2";
    var plain = ok(asked);
    var echoed = ok(asked + ",\"echo\":true");
    try (var tokenizer = TestServer.tokenizer()) {
      var ids = tokenizer.decode(new int[] {5, 6}, false);
      var prompts = List.of("Once upon", "Once upon", ids, ids);
      for (int i = 0; i < 4; i++) {
        var path = "/choices/%d/text".formatted(i);
        assertEquals(prompts.get(i) + plain.at(path).asText(), echoed.at(path).asText());
      }
    }
    assertEquals(plain.get("usage").get("total_tokens"), echoed.get("usage").get("total_tokens"));
  }

  @Test
  void logprobsOfThePromptAreAlignedWithThoseOfTheAnswer() {
    var asked = "\"prompt\":\"Once upon a\",\"max_tokens\":5,\"seed\":1,\"logprobs\":1";
    var echoed = ok(asked + ",\"echo\":true").at("/choices/0/logprobs");
    var plain = ok(asked).at("/choices/0/logprobs");
    int all = echoed.get("tokens").size();
    int prompt = all - plain.get("tokens").size();
    assertTrue(prompt > 3, echoed.toString());
    for (var name : List.of("token_logprobs", "top_logprobs", "text_offset")) {
      assertEquals(all, echoed.get(name).size());
    }
    assertTrue(echoed.at("/token_logprobs/0").isNull());
    assertTrue(echoed.at("/top_logprobs/0").isNull());
    var values = numbers(echoed.get("token_logprobs"));
    assertNull(values.getFirst());
    assertTrue(values.subList(1, all).stream().allMatch(value -> value <= 0));
    assertEquals(numbers(plain.get("token_logprobs")), values.subList(prompt, all));
    int length = "Once upon a".length();
    for (int i = prompt; i < all; i++) {
      int offset = plain.get("text_offset").get(i - prompt).asInt();
      assertEquals(length + offset, echoed.get("text_offset").get(i).asInt());
    }
  }

  @Test
  void streamsEchoTheSame() {
    var asked =
        "\"prompt\":\"Once upon a\",\"max_tokens\":9,\"seed\":1,\"logprobs\":1,\"echo\":true,"
            + "\"n\":3,\"stop\":\"e\"";
    var whole = ok(asked);
    var chunks = HTTP.complete("{" + asked + ",\"stream\":true}").chunks();
    for (int i = 0; i < 3; i++) {
      var text = new StringBuilder();
      var offsets = new ArrayList<JsonNode>();
      var values = new ArrayList<JsonNode>();
      for (var chunk : chunks) {
        var choice = chunk.at("/choices/0");
        if (choice.get("index").asInt() == i) {
          text.append(choice.get("text").asText());
          choice.at("/logprobs/text_offset").forEach(offsets::add);
          choice.at("/logprobs/token_logprobs").forEach(values::add);
        }
      }
      var choice = whole.get("choices").get(i);
      assertEquals(choice.get("text").asText(), text.toString());
      assertEquals(choice.at("/logprobs/text_offset").size(), offsets.size());
      for (int at = 0; at < offsets.size(); at++) {
        assertEquals(choice.at("/logprobs/text_offset").get(at), offsets.get(at));
        assertEquals(choice.at("/logprobs/token_logprobs").get(at), values.get(at));
      }
    }
  }

  @Test
  void echoAloneScoresAPrompt() {
    var body = ok("\"prompt\":\"Once upon a\",\"max_tokens\":0,\"logprobs\":0,\"echo\":true");
    assertEquals("Once upon a", body.at("/choices/0/text").asText());
    assertEquals("length", body.at("/choices/0/finish_reason").asText());
    assertEquals(0, body.at("/usage/completion_tokens").asInt());
    assertEquals(
        body.at("/usage/prompt_tokens").asInt(), body.at("/choices/0/logprobs/tokens").size());
  }

  @Test
  void promptLogprobsStandInEachChoice() {
    var asked = "\"prompt\":[\"Once upon a\",\"b\"],\"max_tokens\":2,\"n\":2";
    var body = ok(asked + ",\"prompt_logprobs\":0");
    var first = body.at("/choices/0/prompt_logprobs");
    assertTrue(first.get(0).isNull());
    assertTrue(first.size() > 3);
    assertEquals(1, first.get(1).size());
    assertEquals(first, body.at("/choices/1/prompt_logprobs"));
    assertEquals(1, body.at("/choices/2/prompt_logprobs").size());
    assertFalse(ok(asked).at("/choices/0").has("prompt_logprobs"));
  }

  @Test
  void promptLogprobsAreTheSameInOneStepAndInMany() {
    var prompt = "Once upon a time there was a very long prompt. ".repeat(30);
    var asked = "\"prompt\":\"%s\",\"max_tokens\":1,\"prompt_logprobs\":2".formatted(prompt);
    var whole = ok(asked).at("/choices/0/prompt_logprobs");
    assertTrue(whole.size() > 512, "more than a step holds: " + whole.size());
    var again = ok(asked).at("/choices/0/prompt_logprobs");
    assertEquals(whole, again, "cached blocks do not shorten it");
    var head = prompt.substring(0, 94);
    var part =
        ok("\"prompt\":\"%s\",\"max_tokens\":1,\"prompt_logprobs\":2".formatted(head))
            .at("/choices/0/prompt_logprobs");
    for (int i = 0; i < part.size() - 1; i++) {
      assertEquals(whole.get(i), part.get(i));
    }
  }
}
