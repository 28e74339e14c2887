package dev.millrace.engine.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class TokenizerTest {

  @TempDir Path directory;

  @ParameterizedTest
  @FieldSource("dev.millrace.engine.text.Tokenizers#NAMES")
  void idsAndTextsEqualTheGoldens(String name) throws IOException {
    JsonNode cases;
    try (var in = new GZIPInputStream(Tokenizers.resource("goldens-own.json.gz"))) {
      cases = JsonMapper.builder().build().readTree(in).get("cases");
    }
    assertEquals(275, cases.size());
    try (Tokenizer tokenizer = Tokenizers.open(directory, name, "")) {
      for (JsonNode one : cases) {
        String text = one.get("text").asText();
        JsonNode expected = one.get(name);
        int[] ids =
            StreamSupport.stream(expected.get("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        assertArrayEquals(ids, tokenizer.encode(text, false), text);
        String decoded = expected.get("dec").isBoolean() ? text : expected.get("dec").asText();
        assertEquals(decoded, tokenizer.decode(ids, false));
        String skipped = expected.has("dec_skip") ? expected.get("dec_skip").asText() : decoded;
        assertEquals(skipped, tokenizer.decode(ids, true));
      }
    }
  }

  @Test
  void longTextIsNeitherCutNorPadded() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "llama3-like", "")) {
      String text = "one two three ".repeat(5_000);
      int[] ids = tokenizer.encode(text, false);
      assertTrue(ids.length > 10_000);
      assertEquals(text, tokenizer.decode(ids, false));
    }
  }

  /** With twelve million blanks the library would end the process. */
  @Test
  void aRunWithoutEndIsRefused() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", "")) {
      for (String run : new String[] {" ", "\n", "A"}) {
        var failure =
            assertThrows(
                InferenceException.class,
                () -> tokenizer.encode("a a " + run.repeat(12_000_000), false));
        assertEquals(ErrorCode.INVALID_REQUEST, failure.code());
        assertTrue(String.valueOf(failure.getMessage()).contains("more than 4000000"));
      }
    }
  }

  @Test
  void beginOfTextIsAddedOnceEvenIfTheTextHasIt() {
    String config = "{\"bos_token\": {\"content\": \"<|begin_of_text|>\"}, \"eos_token\": null}";
    try (Tokenizer tokenizer = Tokenizers.open(directory, "llama3-like", config)) {
      int[] plain = tokenizer.encode("hello", true);
      assertEquals(2000, plain[0]);
      assertArrayEquals(plain, tokenizer.encode("<|begin_of_text|>hello", true));
      assertArrayEquals(plain, tokenizer.encode("<|begin_of_text|>hello", false));
      assertArrayEquals(new int[] {2000}, tokenizer.encode("", true));
      assertEquals(OptionalInt.of(2000), tokenizer.bosId());
      assertEquals(OptionalInt.empty(), tokenizer.eosId());
    }
  }

  @Test
  void equalTokensAtTheStartStayWhereTheTokenizerAddsNone() {
    String config = "{\"bos_token\": null, \"eos_token\": \"<|im_end|>\"}";
    try (Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", config)) {
      assertArrayEquals(new int[] {2001, 2001}, tokenizer.encode("<|im_start|><|im_start|>", true));
      assertEquals(OptionalInt.empty(), tokenizer.bosId());
      assertEquals(OptionalInt.of(2002), tokenizer.eosId());
    }
  }

  @Test
  void theSpecialTokensMapStandsInForASilentConfig() throws IOException {
    Files.writeString(
        directory.resolve("special_tokens_map.json"),
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\"}");
    try (Tokenizer tokenizer = Tokenizers.open(directory, "llama2-like", "{}")) {
      assertEquals(OptionalInt.of(1), tokenizer.bosId());
      assertEquals(OptionalInt.of(2), tokenizer.eosId());
    }
  }

  @ParameterizedTest
  @FieldSource("dev.millrace.engine.text.Tokenizers#NAMES")
  void theBytesOfTheTokensJoinedAreTheText(String name) {
    try (Tokenizer tokenizer = Tokenizers.open(directory, name, "")) {
      String text = "Grüße, 世界! 🙂 \u0000 tab\t and\r\n lines";
      int[] ids = tokenizer.encode(text, false);
      var bytes = new ByteArrayOutputStream();
      IntStream.of(ids).forEach(id -> bytes.writeBytes(tokenizer.tokenBytes(id)));
      String joined = bytes.toString(UTF_8);
      assertEquals(text, joined.startsWith(" ") ? joined.substring(1) : joined);
    }
  }

  @Test
  void tokensOfEachKindShowAsText() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "llama2-like", "")) {
      assertEquals("</s>", tokenizer.token(2));
      int euro = tokenizer.encode("\u20ac", false)[1];
      assertArrayEquals(new byte[] {(byte) 0xE2}, tokenizer.tokenBytes(euro));
      assertEquals("\uFFFD", tokenizer.token(euro));
      assertEquals(Set.of(0, 1, 2), tokenizer.specialIds());
      assertEquals(1500, tokenizer.vocabularySize());
      assertEquals("", tokenizer.token(1500));
      assertEquals(0, tokenizer.tokenBytes(-1).length);
    }
  }

  @Test
  void aMissingOrDamagedTokenizerIsNamed() throws IOException {
    var missing = assertThrows(InferenceException.class, () -> Tokenizer.open(directory));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, missing.code());
    assertTrue(String.valueOf(missing.getMessage()).contains("tokenizer.json is missing"));
    for (String damaged :
        new String[] {"", "{", "[]", "{}", "{\"model\": {\"type\": \"BPE\", \"vocab\": {}}}"}) {
      Files.writeString(directory.resolve("tokenizer.json"), damaged);
      var failure = assertThrows(InferenceException.class, () -> Tokenizer.open(directory));
      assertEquals(ErrorCode.INVALID_CHECKPOINT, failure.code());
      assertTrue(String.valueOf(failure.getMessage()).contains("tokenizer.json"), damaged);
      assertFalse(String.valueOf(failure.getMessage()).contains("\n"), "one line");
    }
  }

  /** On each of these the library would end the process: with the first when it reads the file. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"decoder\":{\"type\":\"ByteLevel\", | \\ud800 | half of a surrogate pair",
        "\"decoder\":{\"type\":\"ByteLevel\", | number  | has the number",
        "\"decoder\":{\"type\":\"ByteLevel\", | deep    | nests values",
      })
  void whatTheLibraryWouldNotSurviveIsRefused(String before, String damage, String message)
      throws IOException {
    String value =
        switch (damage) {
          case "number" -> "1e400";
          case "deep" -> "[".repeat(200) + "]".repeat(200);
          default -> "\"" + damage + "\"";
        };
    String json;
    try (var in = Tokenizers.resource("qwen2-like.json")) {
      json = JsonMapper.builder().build().readTree(in).toString();
    }
    assertTrue(json.contains(before), "the sample has another decoder");
    Files.writeString(
        directory.resolve("tokenizer.json"), json.replace(before, before + "\"x\":" + value + ","));
    var failure = assertThrows(InferenceException.class, () -> Tokenizer.open(directory));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, failure.code());
    assertTrue(String.valueOf(failure.getMessage()).contains(message), failure.getMessage());
  }

  @Test
  void aTemplateOfATokenThatIsNotDescribedIsRefused() throws IOException {
    JsonNode json;
    try (var in = Tokenizers.resource("qwen2-like.json")) {
      json = JsonMapper.builder().build().readTree(in);
    }
    var template =
        """
        {"type": "TemplateProcessing", "pair": [], "special_tokens": {},
         "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}
        """;
    ((ObjectNode) json).set("post_processor", JsonMapper.builder().build().readTree(template));
    Files.writeString(directory.resolve("tokenizer.json"), json.toString());
    var failure = assertThrows(InferenceException.class, () -> Tokenizer.open(directory));
    assertTrue(
        String.valueOf(failure.getMessage()).contains("its special_tokens lack"),
        failure.getMessage());
  }

  @Test
  void manyThreadsShareOneTokenizer() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", "")) {
      int[] expected = tokenizer.encode("The quick brown fox", false);
      assertTrue(
          IntStream.range(0, 200)
              .parallel()
              .allMatch(
                  _ -> Arrays.equals(expected, tokenizer.encode("The quick brown fox", false))));
    }
  }

  @Test
  void aClosedTokenizerSaysSo() {
    Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", "");
    tokenizer.close();
    tokenizer.close();
    assertThrows(IllegalStateException.class, () -> tokenizer.encode("a", false));
  }
}
