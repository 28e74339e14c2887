package dev.millrace.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.engine.text.ChatPrompt;
import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vocabularies that went through a GGUF file give the ids that Hugging Face gives without. */
class GgufTokenizerTest {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"llama3-like, llama-bpe", "qwen2-like, qwen2", "o200k-like, gpt-4o"})
  void bytePairsAreThoseOfTheGoldens(String name, String way) throws IOException {
    var writer = bytePairs(json(name + ".json")).put("tokenizer.ggml.pre", way);
    writer.put("tokenizer.ggml.add_bos_token", false);
    checkGoldens(name, writer);
  }

  @Test
  void piecesAreThoseOfTheGoldens() throws IOException {
    JsonNode json = json("llama2-like.json");
    var writer = vocabulary(json).put("tokenizer.ggml.model", "llama");
    writer.put("tokenizer.ggml.scores", scores(json));
    checkGoldens("llama2-like", writer);
  }

  private void checkGoldens(String name, GgufWriter writer) throws IOException {
    JsonNode cases;
    try (var in = new GZIPInputStream(resource("goldens-own.json.gz"))) {
      cases = MAPPER.readTree(in).get("cases");
    }
    assertEquals(275, cases.size());
    try (Tokenizer tokenizer = open(writer)) {
      for (JsonNode one : cases) {
        String text = one.get("text").asText();
        int[] wanted =
            StreamSupport.stream(one.get(name).get("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        assertArrayEquals(wanted, tokenizer.encode(text, false), text);
        JsonNode decoded = one.get(name).get("dec");
        assertEquals(
            decoded.isBoolean() ? text : decoded.asText(), tokenizer.decode(wanted, false));
      }
    }
  }

  @Test
  void aTextBeginsAndEndsAsTheFileSays() {
    assertAround(new int[] {0, 6}, TinyGguf.writer()); // llama-bpe begins with BOS
    assertAround(new int[] {6}, TinyGguf.writer().put("tokenizer.ggml.add_bos_token", false));
    assertAround(new int[] {6}, TinyGguf.writer().put("tokenizer.ggml.pre", "qwen2"));
    assertAround(new int[] {0, 6, 1}, TinyGguf.writer().put("tokenizer.ggml.add_eos_token", true));
  }

  private void assertAround(int[] wanted, GgufWriter writer) {
    try (Tokenizer tokenizer = open(writer)) {
      assertArrayEquals(wanted, tokenizer.encode("abc", true));
      assertArrayEquals(new int[] {6}, tokenizer.encode("abc", false));
      assertEquals(OptionalInt.of(1), tokenizer.eosId());
    }
  }

  @Test
  void theTemplateKnowsTheNamesOfSpecialTokens() {
    var writer =
        TinyGguf.writer()
            .put(
                "tokenizer.chat_template",
                "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}")
            .put("tokenizer.chat_templates", List.of("tool_use"))
            .put("tokenizer.chat_template.tool_use", "{{ tools[0] }}");
    var model = GgufModel.open(writer.write(directory.resolve("model.gguf")));
    var template = ChatTemplate.of(model.tokenizerConfig(), model.path());
    var messages = List.of(Map.of("role", "user", "content", "hello"));
    assertEquals("<s>hello</s>", template.render(new ChatPrompt(messages)));
    var bare = TinyGguf.writer().remove("tokenizer.chat_template");
    var none = GgufModel.open(bare.write(directory.resolve("bare.gguf")));
    assertFalse(ChatTemplate.of(none.tokenizerConfig(), none.path()).exists());
  }

  @Test
  void everyTokenThatEndsAnAnswerIsFound() {
    var writer =
        TinyGguf.writer()
            .put(
                "tokenizer.ggml.tokens",
                List.of("<s>", "</s>", "a", "<|im_end|>", "<|eot_id|>", "ab", "abc", "d"))
            .put("tokenizer.ggml.token_type", List.of(3, 3, 1, 3, 1, 1, 1, 1))
            .put("tokenizer.ggml.eom_token_id", 7)
            .put("general.sampling.temp", 0.5f)
            .put("general.sampling.top_k", 20);
    var generation = GgufModel.open(writer.write(directory.resolve("model.gguf"))).generation();
    // 4 is called like one, and is an ordinary token
    assertEquals("[1,3,7]", generation.get("eos_token_id").toString());
    assertEquals(0.5, generation.get("temperature").doubleValue());
    assertEquals(20, generation.get("top_k").intValue());
    assertTrue(generation.has("bos_token_id"));
  }

  private Tokenizer open(GgufWriter writer) {
    var model = GgufModel.open(writer.write(directory.resolve("model.gguf")));
    return Tokenizer.of(model.tokenizer(), model.tokenizerConfig(), model.path());
  }

  /** A model with the byte pairs of a tokenizer.json. */
  static GgufWriter bytePairs(JsonNode json) {
    var merges = new ArrayList<String>();
    for (JsonNode merge : json.at("/model/merges")) {
      merges.add(
          merge.isTextual()
              ? merge.textValue()
              : merge.get(0).textValue() + " " + merge.get(1).textValue());
    }
    return vocabulary(json)
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.merges", merges);
  }

  /** A model with the tokens of a tokenizer.json and their kinds. */
  private static GgufWriter vocabulary(JsonNode json) {
    var tokens = new HashMap<Integer, String>();
    var types = new HashMap<Integer, Integer>();
    json.at("/model/vocab")
        .properties()
        .forEach(token -> tokens.put(token.getValue().intValue(), token.getKey()));
    tokens.forEach((id, token) -> types.put(id, token.matches("<0x[0-9A-F]{2}>") ? 6 : 1));
    for (JsonNode added : json.get("added_tokens")) {
      int id = added.get("id").intValue();
      tokens.put(id, added.get("content").textValue());
      types.put(id, added.get("special").booleanValue() ? 3 : 4);
    }
    int size = tokens.size();
    var writer = TinyGguf.metadata();
    writer.put("tokenizer.ggml.tokens", inOrder(tokens, size));
    writer.put("tokenizer.ggml.token_type", inOrder(types, size));
    return writer.tensor("token_embd.weight", GgufTensorType.F16, 32, size);
  }

  private static <T> List<T> inOrder(Map<Integer, T> byId, int size) {
    return IntStream.range(0, size).mapToObj(id -> Objects.requireNonNull(byId.get(id))).toList();
  }

  /**
   * The earlier a token can be merged, the higher its score, as in SentencePiece's own training.
   */
  private static List<Float> scores(JsonNode json) {
    var scores = new Float[json.at("/model/vocab").size()];
    Arrays.fill(scores, -1e4f);
    float score = 0;
    for (JsonNode merge : json.at("/model/merges")) {
      String piece =
          merge.isTextual()
              ? merge.textValue().replace(" ", "")
              : merge.get(0).textValue() + merge.get(1).textValue();
      int id = json.at("/model/vocab").get(piece).intValue();
      if (scores[id] == -1e4f) {
        scores[id] = --score;
      }
    }
    return List.of(scores);
  }

  private static JsonNode json(String name) throws IOException {
    try (var in = resource(name)) {
      return MAPPER.readTree(in);
    }
  }

  private static InputStream resource(String name) {
    return Objects.requireNonNull(
        GgufTokenizerTest.class.getResourceAsStream("/dev/millrace/engine/text/tokenizers/" + name),
        name);
  }
}
