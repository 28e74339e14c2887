package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.server.Http;
import dev.millrace.server.TestServer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CompletionApiTest {
  private static final Http HTTP = TestServer.shared().http();

  private static JsonNode ok(String body) {
    var reply = HTTP.complete(body);
    assertEquals(200, reply.status(), reply.text());
    return reply.json();
  }

  private static List<String> texts(JsonNode body) {
    var texts = new ArrayList<String>();
    body.get("choices").forEach(choice -> texts.add(choice.get("text").asText()));
    return texts;
  }

  @Test
  void promptWithoutALengthGetsSixteenTokens() {
    var body = ok("{\"prompt\":\"Once\",\"temperature\":0,\"ignore_eos\":true}");
    assertTrue(body.get("id").asText().startsWith("cmpl-"));
    assertEquals("text_completion", body.get("object").asText());
    assertEquals(16, body.at("/usage/completion_tokens").asInt());
    assertEquals("length", body.at("/choices/0/finish_reason").asText());
    assertTrue(body.at("/choices/0/logprobs").isNull());
  }

  @Test
  void everyFormOfAPromptIsRead() {
    var rest = ",\"temperature\":0,\"max_tokens\":4}";
    var one = texts(ok("{\"prompt\":\"a\"" + rest)).getFirst();
    var ids = texts(ok("{\"prompt\":[5,6]" + rest)).getFirst();
    assertEquals(List.of(one, one), texts(ok("{\"prompt\":[\"a\",\"a\"]" + rest)));
    assertEquals(List.of(ids, ids), texts(ok("{\"prompt\":[[5,6],[5,6]]" + rest)));
    assertEquals(List.of(one, ids), texts(ok("{\"prompt\":[\"a\",[5,6]]" + rest)));
    assertEquals(3, ok("{\"prompt\":[5,\"a\",6]" + rest).at("/usage/prompt_tokens").asInt());
  }

  @Test
  void equalPromptsGetAnswersOfTheirOwnUnlessASeedIsGiven() {
    var rest = ",\"temperature\":1,\"max_tokens\":12,\"ignore_eos\":true";
    var free = texts(ok("{\"prompt\":[\"Hi\",\"Hi\",\"Hi\"]" + rest + "}"));
    assertEquals(3, free.stream().distinct().count(), free.toString());
    var seeded = texts(ok("{\"prompt\":[\"Hi\",\"Hi\"],\"seed\":3" + rest + "}"));
    assertEquals(seeded.get(0), seeded.get(1));
  }

  @Test
  void moreSequencesThanTheQueueHoldsAreRefusedForGood() {
    var reply = HTTP.complete("{\"prompt\":[\"a\",\"b\",\"c\"],\"n\":3,\"max_tokens\":1}");
    assertEquals(400, reply.status(), reply.text());
  }

  @Test
  void choicesOfAllPromptsAreCountedThrough() {
    var body =
        ok("{\"prompt\":[\"a\",\"b\"],\"n\":2,\"max_tokens\":3,\"seed\":1,\"ignore_eos\":true}");
    assertEquals(4, body.get("choices").size());
    for (int i = 0; i < 4; i++) {
      assertEquals(i, body.get("choices").get(i).get("index").asInt());
    }
    assertEquals(2, body.at("/usage/prompt_tokens").asInt());
    assertEquals(12, body.at("/usage/completion_tokens").asInt());
  }

  @Test
  void logprobsAreAlignedAndCountCharacters() {
    var body =
        ok("{\"prompt\":\"a\",\"max_tokens\":20,\"seed\":4,\"logprobs\":3,\"ignore_eos\":true}");
    var logprobs = body.at("/choices/0/logprobs");
    int offset = 0;
    for (int i = 0; i < 20; i++) {
      assertTrue(logprobs.get("token_logprobs").get(i).asDouble() <= 0);
      int tops = logprobs.get("top_logprobs").get(i).size();
      assertTrue(tops == 3 || tops == 4, logprobs.toString());
      var token = logprobs.get("tokens").get(i).asText();
      assertTrue(logprobs.get("top_logprobs").get(i).has(token));
      assertTrue(logprobs.get("text_offset").get(i).asInt() >= offset);
      offset = logprobs.get("text_offset").get(i).asInt();
    }
  }

  @Test
  void zeroLogprobsShowTheChosenTokenOnly() {
    var tops =
        ok("{\"prompt\":\"a\",\"max_tokens\":2,\"logprobs\":0}")
            .at("/choices/0/logprobs/top_logprobs");
    assertEquals(1, tops.get(0).size());
  }

  @Test
  void streamedTextAndOffsetsAreThoseOfTheBody() {
    var asked =
        "\"prompt\":[\"a\",\"b\"],\"max_tokens\":25,\"seed\":6,\"logprobs\":1,\"stop\":[\"ing\"]";
    var whole = ok("{" + asked + "}");
    var reply = HTTP.complete("{" + asked + ",\"stream\":true}");
    assertEquals("[DONE]", reply.data().getLast());
    for (int i = 0; i < 2; i++) {
      var text = new StringBuilder();
      var offsets = new ArrayList<Integer>();
      int ends = 0;
      for (var chunk : reply.chunks()) {
        var choice = chunk.at("/choices/0");
        if (choice.get("index").asInt() == i) {
          text.append(choice.get("text").asText());
          choice.at("/logprobs/text_offset").forEach(each -> offsets.add(each.asInt()));
          ends += choice.get("finish_reason").isNull() ? 0 : 1;
        }
      }
      var choice = whole.get("choices").get(i);
      assertEquals(choice.get("text").asText(), text.toString());
      assertEquals(1, ends);
      var expected = new ArrayList<Integer>();
      choice.at("/logprobs/text_offset").forEach(each -> expected.add(each.asInt()));
      assertEquals(expected, offsets);
    }
  }

  @Test
  void biasBansAndForcesTokens() {
    var forced =
        ok("{\"prompt\":\"a\",\"max_tokens\":3,\"logit_bias\":{\"70\":100},\"logprobs\":0}");
    var tokens = forced.at("/choices/0/logprobs/tokens");
    assertEquals(tokens.get(0), tokens.get(2));
    var banned =
        ok(
            "{\"prompt\":\"a\",\"max_tokens\":1,\"temperature\":0,\"logprobs\":0,"
                + "\"logit_bias\":{\"%d\":-100}}".formatted(greedyId()));
    var greedy = ok("{\"prompt\":\"a\",\"max_tokens\":1,\"temperature\":0,\"logprobs\":0}");
    assertTrue(
        !greedy.at("/choices/0/logprobs/tokens").equals(banned.at("/choices/0/logprobs/tokens")));
  }

  @Test
  void stopTokensEndTheAnswer() {
    var body =
        ok(
            "{\"prompt\":\"a\",\"max_tokens\":5,\"temperature\":0,\"stop_token_ids\":[%d]}"
                .formatted(greedyId()));
    assertEquals("stop", body.at("/choices/0/finish_reason").asText());
    assertEquals("", body.at("/choices/0/text").asText());
    var later =
        ok(
            "{\"prompt\":\"a\",\"max_tokens\":5,\"temperature\":0,\"stop_token_ids\":[%d],"
                    .formatted(greedyId())
                + "\"min_tokens\":2}");
    assertTrue(later.at("/usage/completion_tokens").asInt() >= 2);
  }

  @Test
  void requestsAboveCapacityQueueAndComplete() {
    var body = ok("{\"prompt\":\"a\",\"n\":8,\"max_tokens\":6,\"seed\":1}");
    assertEquals(8, body.get("choices").size());
  }

  /** The id of the likeliest token after "a". */
  private static int greedyId() {
    var name =
        ok("{\"prompt\":\"a\",\"max_tokens\":1,\"temperature\":0,\"logprobs\":0}")
            .at("/choices/0/logprobs/tokens/0")
            .asText();
    try (var tokenizer = TestServer.tokenizer()) {
      var text = new TokenText(tokenizer, true);
      return IntStream.range(0, tokenizer.vocabularySize())
          .filter(id -> text.show(id, "bytes:").equals(name))
          .findFirst()
          .orElseThrow();
    }
  }
}
