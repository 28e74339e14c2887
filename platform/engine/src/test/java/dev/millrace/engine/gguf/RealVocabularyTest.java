package dev.millrace.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.engine.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Llama 2's own vocabulary out of llama.cpp's file of it, against the ids of both projects. */
@Tag("conformance")
class RealVocabularyTest {
  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";
  private static final int ROWS = 32_000;

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
        JsonMapper.builder()
            .build()
            .readTree(unpacked(oracle("tokenizers", "real", "llama2.tokenizer.json.gz")))
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
    JsonNode cases =
        JsonMapper.builder()
            .build()
            .readTree(unpacked(oracle("tokenizers", "small", "goldens-own.json.gz")))
            .get("cases");
    var vocabulary = vocabulary();
    try (var tokenizer = Tokenizer.of(vocabulary.tokenizer(), vocabulary.config(), directory)) {
      for (JsonNode one : cases) {
        String text = one.get("text").asText();
        int[] wanted =
            StreamSupport.stream(one.get("real/llama2").get("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        boolean special = text.contains("<s>") || text.contains("</s>") || text.contains("<unk>");
        if (!special) { // Hugging Face's own file finds them in normalized text only
          assertArrayEquals(wanted, tokenizer.encode(text, false), text);
        }
      }
      assertEquals("<s>", new String(tokenizer.tokenBytes(1), StandardCharsets.UTF_8));
    }
  }
}
