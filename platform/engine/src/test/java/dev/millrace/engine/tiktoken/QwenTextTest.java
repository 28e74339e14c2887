package dev.millrace.engine.tiktoken;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.engine.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A vocabulary that both forms have: the ids that Hugging Face makes of a tokenizer.json are those
 * made of the same tokens in a tiktoken file.
 */
class QwenTextTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  @TempDir private Path folder;

  @Test
  void idsAreThoseOfTheSameVocabularyInHuggingFacesForm() throws IOException {
    compare(resource("qwen2-like.json"), "qwen2-like", 260);
  }

  @Test
  @Tag("conformance")
  void idsAreThoseOfTheRealVocabulary() throws IOException {
    String oracles = System.getProperty("millrace.oracles");
    assertNotNull(oracles, "the conformance lane needs the system property millrace.oracles");
    var packed = Path.of(oracles, "tokenizers", "real", "qwen2.5.tokenizer.json.gz");
    try (var in = new GZIPInputStream(Files.newInputStream(packed))) {
      compare(in, "real/qwen2.5", 260);
    }
  }

  private void compare(InputStream huggingFace, String column, int atLeast) throws IOException {
    JsonNode original;
    try (huggingFace) {
      original = JSON.readTree(huggingFace);
    }
    writeTiktoken(original.at("/model/vocab"));
    var made = QwenText.read(folder).tokenizer();
    assertEquals(
        original.at("/model/merges").size(), made.at("/model/merges").size(), "a pair a token");
    JsonNode cases;
    try (var in = new GZIPInputStream(resource("goldens-own.json.gz"))) {
      cases = JSON.readTree(in).get("cases");
    }
    int compared = 0;
    try (var tokenizer = Tokenizer.of(made, folder);
        var other = Tokenizer.of(original, folder)) {
      for (JsonNode one : cases) {
        String text = one.get("text").asText();
        if (!text.contains("tool_call>")) { // special in later Qwens only
          int[] ids = ids(one.get(column).get("ids"));
          assertArrayEquals(ids, tokenizer.encode(text, true), text);
          assertEquals(other.decode(ids, false), tokenizer.decode(ids, false));
          assertEquals(other.decode(ids, true), tokenizer.decode(ids, true));
          compared++;
        }
      }
      compareRandomTexts(tokenizer, other);
    }
    assertTrue(compared >= atLeast, "only " + compared);
  }

  /** Words of the vocabulary put together at random, where merging goes wrong if it does. */
  private static void compareRandomTexts(Tokenizer tokenizer, Tokenizer other) {
    var random = new SplittableRandom(11);
    for (int i = 0; i < 2000; i++) {
      int[] ids = random.ints(1 + i % 12, 0, other.vocabularySize() - 30).toArray();
      String text = other.decode(ids, true);
      assertArrayEquals(other.encode(text, false), tokenizer.encode(text, false), text);
    }
  }

  @Test
  void specialTokensFollowTheVocabulary() throws IOException {
    JsonNode original;
    try (var in = resource("qwen2-like.json")) {
      original = JSON.readTree(in);
    }
    writeTiktoken(original.at("/model/vocab"));
    var text = QwenText.read(folder);
    try (var tokenizer = Tokenizer.of(text.tokenizer(), folder)) {
      assertEquals(2208, tokenizer.vocabularySize());
      assertEquals(
          IntStream.range(2000, 2208).boxed().collect(Collectors.toSet()), tokenizer.specialIds());
      assertEquals("<|endoftext|>", tokenizer.token(2000));
      assertEquals("<|im_start|>", tokenizer.token(2001));
      assertEquals("<|im_end|>", tokenizer.token(2002));
      assertEquals("<|extra_204|>", tokenizer.token(2207));
      assertArrayEquals(new int[] {2003 + 17}, tokenizer.encode("<|extra_17|>", true));
      assertEquals(new HashSet<>(text.ends(true)), new HashSet<>(Arrays.asList(2000, 2001, 2002)));
      assertEquals(1, text.ends(false).size());
    }
  }

  private void writeTiktoken(JsonNode vocab) throws IOException {
    var lines = new StringBuilder();
    for (var token : vocab.properties()) {
      byte[] bytes = bytes(token.getKey());
      lines.append(Base64.getEncoder().encodeToString(bytes)).append(' ');
      lines.append(token.getValue().intValue()).append('\n');
    }
    Files.writeString(folder.resolve(QwenText.FILE), lines);
  }

  /** The bytes that byte-level letters stand for, by the rule that GPT-2 wrote them with. */
  private static byte[] bytes(String letters) {
    var bytes = new ByteArrayOutputStream();
    var others = new StringBuilder();
    for (int b = 0; b < 256; b++) {
      if (!((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174)) {
        others.append((char) b);
      }
    }
    for (int i = 0; i < letters.length(); i++) {
      char letter = letters.charAt(i);
      bytes.write(letter < 256 ? letter : others.charAt(letter - 256));
    }
    return bytes.toByteArray();
  }

  private static int[] ids(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }

  private static InputStream resource(String name) {
    var at = "/dev/millrace/engine/text/tokenizers/" + name;
    return Objects.requireNonNull(QwenTextTest.class.getResourceAsStream(at), name);
  }
}
