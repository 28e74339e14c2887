package dev.millrace.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.engine.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Llama 2's own vocabulary out of llama.cpp's file of it, and Qwen's by way of a file, against the
 * ids of both projects.
 */
@Tag("conformance")
class RealVocabularyTest {
  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";
  private static final int ROWS = 32_000;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @TempDir Path directory;

  private static Path oracle(String... path) {
    String oracles = System.getProperty("millrace.oracles");
    assertNotNull(oracles, "the conformance lane needs the system property millrace.oracles");
    return Path.of(oracles, path);
  }

  private static byte[] unpacked(Path packed) throws IOException {
    try (var in = new GZIPInputStream(Files.newInputStream(packed))) {
      return in.readAllBytes();
    }
  }

  private GgufTokenizer vocabulary() throws IOException {
    Path file = directory.resolve("vocabulary.gguf");
    Files.write(file, unpacked(oracle("tokenizers", "llama.cpp", "ggml-vocab-llama-spm.gguf.gz")));
    return GgufTokenizer.of(GgufFile.open(file).metadata(), ROWS);
  }

  @Test
  void theMergesAreThoseThatHuggingFaceHas() throws IOException {
    var merges = vocabulary().tokenizer().at("/model/merges");
    var wanted =
        JSON.readTree(unpacked(oracle("tokenizers", "real", "llama2.tokenizer.json.gz")))
            .at("/model/merges");
    assertEquals(61_249, merges.size());
    for (int i = 0; i < merges.size(); i++) {
      JsonNode pair = wanted.get(i);
      String text =
          pair.isTextual()
              ? pair.textValue()
              : pair.get(0).textValue() + " " + pair.get(1).textValue();
      assertEquals(text, merges.get(i).get(0).textValue() + " " + merges.get(i).get(1).textValue());
    }
  }

  @Test
  void idsAreThoseOfLlamaCpp() throws IOException {
    Path folder = oracle("tokenizers", "llama.cpp");
    String[] texts = Files.readString(folder.resolve("ggml-vocab-all.inp")).split(SEPARATOR, -1);
    String[] lines =
        Files.readString(folder.resolve("ggml-vocab-llama-spm.gguf.out")).split("\n", -1);
    var vocabulary = vocabulary();
    try (var tokenizer = Tokenizer.of(vocabulary.tokenizer(), vocabulary.config(), directory)) {
      int compared = 0;
      for (int i = 0; i < texts.length && i < lines.length; i++) {
        int[] wanted =
            Arrays.stream(lines[i].trim().split(" "))
                .filter(id -> !id.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
        assertArrayEquals(wanted, tokenizer.encode(texts[i], false), texts[i]);
        compared++;
      }
      assertEquals(47, compared);
    }
  }

  @Test
  void idsAreThoseOfHuggingFace() throws IOException {
    var vocabulary = vocabulary();
    // Hugging Face's own file finds special tokens in normalized text only
    checkGoldens("real/llama2", vocabulary, text -> !text.matches("(?s).*<(s|/s|unk)>.*"));
  }

  @Test
  void idsOfQwenAreThoseOfHuggingFace() throws IOException {
    var json = JSON.readTree(unpacked(oracle("tokenizers", "real", "qwen2.5.tokenizer.json.gz")));
    Path file = directory.resolve("qwen.gguf");
    GgufTokenizerTest.bytePairs(json).put("tokenizer.ggml.pre", "qwen2").write(file);
    var vocabulary = GgufTokenizer.of(GgufFile.open(file).metadata(), 151_936);
    checkGoldens("real/qwen2.5", vocabulary, _ -> true);
  }

  private void checkGoldens(String name, GgufTokenizer vocabulary, Predicate<String> asked)
      throws IOException {
    var packed = oracle("tokenizers", "small", "goldens-own.json.gz");
    int compared = 0;
    try (var tokenizer = Tokenizer.of(vocabulary.tokenizer(), vocabulary.config(), directory)) {
      for (JsonNode one : JSON.readTree(unpacked(packed)).get("cases")) {
        String text = one.get("text").asText();
        int[] wanted =
            StreamSupport.stream(one.get(name).get("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        if (asked.test(text)) {
          assertArrayEquals(wanted, tokenizer.encode(text, false), text);
          compared++;
        }
      }
    }
    assertTrue(compared > 250, "only " + compared + " texts were compared");
  }
}
