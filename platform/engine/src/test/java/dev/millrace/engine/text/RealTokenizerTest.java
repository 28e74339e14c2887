package dev.millrace.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real vocabularies: ids as Hugging Face makes them, streamed text as the library decodes it. */
@Tag("conformance")
class RealTokenizerTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"qwen2.5", "llama2"})
  void idsAndStreamedTextAreThoseOfTheLibrary(String name) throws IOException {
    String oracles = System.getProperty("millrace.oracles");
    assertNotNull(oracles, "the conformance lane needs the system property millrace.oracles");
    Path packed = Path.of(oracles, "tokenizers", "real", name + ".tokenizer.json.gz");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      Files.copy(in, directory.resolve("tokenizer.json"));
    }
    JsonNode cases;
    try (var in = new GZIPInputStream(Tokenizers.resource("goldens-own.json.gz"))) {
      cases = JsonMapper.builder().build().readTree(in).get("cases");
    }
    try (Tokenizer tokenizer = Tokenizer.open(directory)) {
      for (JsonNode one : cases) {
        String text = one.get("text").asText();
        int[] ids =
            StreamSupport.stream(one.get("real/" + name).get("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        assertArrayEquals(ids, tokenizer.encode(text, false), text);
        var detokenizer = new Detokenizer(tokenizer, true);
        var streamed = new StringBuilder();
        for (int id : ids) {
          streamed.append(detokenizer.append(id));
        }
        streamed.append(detokenizer.finish());
        assertEquals(tokenizer.decode(ids, true), streamed.toString());
      }
    }
  }
}
