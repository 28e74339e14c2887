package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.server.Http;
import dev.millrace.server.TestServer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatApiTest {
  private static final Http HTTP = TestServer.shared().http();
  private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

  private static JsonNode ok(String body) {
    var reply = HTTP.chat(body);
    assertEquals(200, reply.status(), reply.text());
    return reply.json();
  }

  private static List<JsonNode> stream(String body) {
    var reply = HTTP.chat(body);
    assertEquals(200, reply.status(), reply.text());
    assertTrue(reply.header("Content-Type").startsWith("text/event-stream"));
    assertEquals("no-store", reply.header("Cache-Control"));
    assertEquals("[DONE]", reply.data().getLast());
    return reply.chunks();
  }

  private static String content(JsonNode body) {
    return body.at("/choices/0/message/content").asText();
  }

  private static String joined(List<JsonNode> chunks, int index) {
    var text = new StringBuilder();
    for (var chunk : chunks) {
      for (var choice : chunk.get("choices")) {
        if (choice.get("index").asInt() == index) {
          text.append(choice.at("/delta/content").asText(""));
        }
      }
    }
    return text.toString();
  }

  @Test
  void answersWithTheShapeThatClientsKnow() {
    var body = ok("{" + HI + ",\"max_tokens\":5,\"temperature\":0,\"ignore_eos\":true}");
    assertTrue(body.get("id").asText().startsWith("chatcmpl-"));
    assertEquals("chat.completion", body.get("object").asText());
    assertEquals(TestServer.MODEL, body.get("model").asText());
    assertEquals("assistant", body.at("/choices/0/message/role").asText());
    assertTrue(body.at("/choices/0/message/refusal").isNull());
    assertTrue(body.at("/choices/0/logprobs").isNull());
    assertEquals("length", body.at("/choices/0/finish_reason").asText());
    assertEquals(5, body.at("/usage/completion_tokens").asInt());
    assertEquals(
        body.at("/usage/prompt_tokens").asInt() + 5, body.at("/usage/total_tokens").asInt());
    assertTrue(body.at("/usage/prompt_tokens_details").has("cached_tokens"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"temperature\":0,\"max_tokens\":40,\"ignore_eos\":true",
        "\"seed\":7,\"max_tokens\":60,\"ignore_eos\":true",
        "\"seed\":8,\"max_tokens\":60,\"stop\":[\"e\",\" t\"]",
        "\"seed\":9,\"max_tokens\":60,\"stop\":\"or\",\"include_stop_str_in_output\":true",
        "\"seed\":10,\"max_completion_tokens\":1"
      })
  void joinedStreamIsTheBody(String options) {
    var whole = ok("{" + HI + "," + options + "}");
    var chunks = stream("{" + HI + ",\"stream\":true," + options + "}");
    assertEquals(content(whole), joined(chunks, 0));
    assertEquals(
        whole.at("/choices/0/finish_reason"), chunks.getLast().at("/choices/0/finish_reason"));
  }

  @Test
  void chunksHaveTheirOrder() {
    var chunks = stream("{" + HI + ",\"max_tokens\":6,\"seed\":1,\"stream\":true}");
    assertEquals("assistant", chunks.getFirst().at("/choices/0/delta/role").asText());
    assertEquals("", chunks.getFirst().at("/choices/0/delta/content").asText());
    for (int i = 0; i < chunks.size(); i++) {
      var chunk = chunks.get(i);
      assertEquals("chat.completion.chunk", chunk.get("object").asText());
      assertEquals(chunks.getFirst().get("id"), chunk.get("id"));
      assertEquals(chunks.getFirst().get("created"), chunk.get("created"));
      assertFalse(chunk.has("usage"));
      boolean last = i == chunks.size() - 1;
      assertEquals(last, !chunk.at("/choices/0/finish_reason").isNull());
      assertEquals(last, chunk.at("/choices/0/delta").isEmpty());
      assertEquals(i == 0, chunk.at("/choices/0/delta").has("role"));
    }
  }

  @Test
  void usageComesInAChunkOfItsOwn() {
    var asked = HI + ",\"max_tokens\":6,\"seed\":1,\"ignore_eos\":true";
    var chunks =
        stream("{" + asked + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    assertEquals(0, chunks.getLast().get("choices").size());
    assertEquals(ok("{" + asked + "}").get("usage"), chunks.getLast().get("usage"));
    for (var chunk : chunks.subList(0, chunks.size() - 1)) {
      assertTrue(chunk.has("usage") && chunk.get("usage").isNull());
    }
  }

  @Test
  void continuousUsageGrows() {
    var chunks =
        stream(
            "{"
                + HI
                + ",\"max_tokens\":6,\"ignore_eos\":true,\"stream\":true,\"stream_options\":"
                + "{\"include_usage\":true,\"continuous_usage_stats\":true}}");
    int before = 0;
    for (var chunk : chunks) {
      int now = chunk.at("/usage/completion_tokens").asInt(-1);
      assertTrue(now >= before, chunk.toString());
      before = now;
    }
    assertEquals(6, before);
  }

  @Test
  void logprobsTellTokensAndAlternatives() {
    var body =
        ok(
            "{"
                + HI
                + ",\"max_tokens\":8,\"temperature\":0,\"ignore_eos\":true,\"logprobs\":true,"
                + "\"top_logprobs\":20}");
    var logprobs = body.at("/choices/0/logprobs");
    assertTrue(logprobs.get("refusal").isNull());
    assertEquals(8, logprobs.get("content").size());
    for (var entry : logprobs.get("content")) {
      assertEquals(20, entry.get("top_logprobs").size());
      assertEquals(entry.get("logprob"), entry.at("/top_logprobs/0/logprob"));
      double sum =
          StreamSupport.stream(entry.get("top_logprobs").spliterator(), false)
              .mapToDouble(top -> Math.exp(top.get("logprob").asDouble()))
              .sum();
      assertTrue(sum > 0 && sum <= 1.00001, entry.toString());
      assertTrue(entry.get("bytes").isArray());
    }
  }

  @Test
  void streamedLogprobsAreThoseOfTheBody() {
    var asked = HI + ",\"max_tokens\":12,\"seed\":3,\"logprobs\":true,\"stop\":\"zzz\"";
    var whole = ok("{" + asked + "}").at("/choices/0/logprobs/content");
    var streamed =
        stream("{" + asked + ",\"stream\":true}").stream()
            .flatMap(chunk ->
                StreamSupport.stream(chunk.at("/choices/0/logprobs/content").spliterator(), false))
            .toList();
    assertEquals(StreamSupport.stream(whole.spliterator(), false).toList(), streamed);
  }

  @Test
  void severalAnswersDifferAndCarryTheirIndex() {
    var asked = HI + ",\"max_tokens\":10,\"seed\":5,\"n\":3,\"ignore_eos\":true";
    var body = ok("{" + asked + "}");
    var chunks = stream("{" + asked + ",\"stream\":true}");
    for (int i = 0; i < 3; i++) {
      var choice = body.get("choices").get(i);
      assertEquals(i, choice.get("index").asInt());
      assertEquals(choice.at("/message/content").asText(), joined(chunks, i));
    }
    assertNotEquals(body.at("/choices/0/message/content"), body.at("/choices/1/message/content"));
    assertEquals(30, body.at("/usage/completion_tokens").asInt());
    assertEquals(
        ok("{" + HI + ",\"max_tokens\":1}").at("/usage/prompt_tokens"),
        body.at("/usage/prompt_tokens"));
  }

  @Test
  void seedDecidesTheAnswer() {
    var asked = HI + ",\"max_tokens\":10,\"ignore_eos\":true";
    var one = content(ok("{" + asked + ",\"seed\":1}"));
    assertEquals(one, content(ok("{" + asked + ",\"seed\":1}")));
    assertNotEquals(one, content(ok("{" + asked + ",\"seed\":2}")));
    assertNotEquals(content(ok("{" + asked + "}")), content(ok("{" + asked + "}")));
  }

  @Test
  void textPartsAreLinesOfOneText() {
    var rest = ",\"max_tokens\":8,\"temperature\":0}";
    var parts =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
            + "{\"type\":\"text\",\"text\":\"b\"}]}]";
    var text = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\nb\"}]";
    assertEquals(content(ok(text + rest)), content(ok(parts + rest)));
  }

  @Test
  void partsAreTextInEveryRole() {
    var asked =
        "{\"messages\":[{\"role\":\"%s\",\"content\":%s},{\"role\":\"user\",\"name\":\"x\","
            + "\"content\":\"b\"}],\"max_tokens\":8,\"temperature\":0}";
    for (var role : List.of("system", "user", "critic")) {
      var parts = "[{\"type\":\"text\",\"text\":\"Be brief.\"}]";
      assertEquals(
          content(ok(asked.formatted(role, "\"Be brief.\""))),
          content(ok(asked.formatted(role, parts))),
          role);
    }
  }

  @Test
  void developersSpeakAsTheSystem() {
    var body =
        "{\"messages\":[{\"role\":\"%s\",\"content\":\"Be brief.\"}],\"max_tokens\":5,"
            + "\"temperature\":0}";
    assertEquals(content(ok(body.formatted("system"))), content(ok(body.formatted("developer"))));
  }

  @Test
  void lastMessageCanBeContinued() {
    var reply =
        ok(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\","
                + "\"content\":\"Well\"}],\"continue_final_message\":true,\"max_tokens\":1}");
    var open =
        ok(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\","
                + "\"content\":\"Well\"}],\"add_generation_prompt\":false,\"max_tokens\":1}");
    assertTrue(reply.at("/usage/prompt_tokens").asInt() < open.at("/usage/prompt_tokens").asInt());
  }

  @Test
  void anAssistantsLastMessageIsContinuedUnlessTheRequestSaysOtherwise() {
    var messages =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\","
            + "\"content\":%s}],\"max_tokens\":4,\"temperature\":0%s}";
    var asked = ok(messages.formatted("\"Well\"", ",\"continue_final_message\":true"));
    assertEquals(content(asked), content(ok(messages.formatted("\"Well\"", ""))));
    var parts = "[{\"type\":\"text\",\"text\":\"Well\"}]";
    assertEquals(content(asked), content(ok(messages.formatted(parts, ""))));
    var next = ok(messages.formatted("\"Well\"", ",\"add_generation_prompt\":true"));
    assertTrue(next.at("/usage/prompt_tokens").asInt() > asked.at("/usage/prompt_tokens").asInt());
  }

  @Test
  void tokensOfLogprobsAreTheContent() {
    var body =
        ok(
            "{"
                + HI
                + ",\"max_tokens\":40,\"seed\":2,\"logprobs\":true,\"top_logprobs\":0,"
                + "\"logit_bias\":{\"300\":-100}}");
    var bytes = new ByteArrayOutputStream();
    for (var entry : body.at("/choices/0/logprobs/content")) {
      assertEquals(0, entry.get("top_logprobs").size());
      entry.get("bytes").forEach(each -> bytes.write(each.asInt()));
    }
    assertEquals(content(body), bytes.toString(StandardCharsets.UTF_8));
  }

  @Test
  void promptLogprobsStandBesideTheChoices() {
    var body = ok("{" + HI + ",\"max_tokens\":2,\"prompt_logprobs\":2}");
    var list = body.get("prompt_logprobs");
    assertEquals(body.at("/usage/prompt_tokens").asInt(), list.size());
    assertTrue(list.get(0).isNull());
    for (int i = 1; i < list.size(); i++) {
      assertTrue(list.get(i).size() == 2 || list.get(i).size() == 3, list.get(i).toString());
      var first = list.get(i).elements().next();
      assertTrue(first.get("rank").asInt() >= 1 && first.get("logprob").asDouble() <= 0);
    }
    assertFalse(ok("{" + HI + ",\"max_tokens\":2}").has("prompt_logprobs"));
  }

  @Test
  void whatIsCachedIsCounted() {
    var asked = "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"max_tokens\":1%s}";
    var words = "word ".repeat(40);
    var path = "/usage/prompt_tokens_details/cached_tokens";
    var salted = ",\"cache_salt\":\"mine\"";
    assertEquals(0, ok(asked.formatted("Cold " + words, salted)).at(path).asInt());
    var warm = ok(asked.formatted("Cold " + words, salted));
    assertTrue(warm.at(path).asInt() > 16, warm.toString());
    assertEquals(0, ok(asked.formatted("Cold " + words, "")).at(path).asInt(), "another salt");
  }

  @Test
  void theIdOfTheRequestIsInTheAnswer() {
    var reply =
        HTTP.post("/v1/chat/completions", "{" + HI + ",\"max_tokens\":1}", "X-Request-Id", "abc-1");
    assertEquals("chatcmpl-abc-1", reply.json().get("id").asText());
    assertEquals("abc-1", reply.header("X-Request-Id"));
  }

  @Test
  void unknownFieldsAreIgnored() {
    ok(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\",\"name\":\"x\",\"more\":1}],"
            + "\"max_tokens\":1,\"what\":{},\"tools\":[],\"tool_choice\":\"none\",\"n\":null}");
  }

  @Test
  void answerMayFillTheContext() {
    var asked = "{" + HI + ",\"ignore_eos\":true,\"temperature\":0}";
    try (var small = TestServer.start(Map.of("max-model-len", "32"))) {
      var body = small.http().chat(asked).json();
      assertEquals(32, body.at("/usage/total_tokens").asInt());
      assertEquals("length", body.at("/choices/0/finish_reason").asText());
    }
  }
}
