package dev.millrace.server.quality;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.server.TestServer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextsTest {
  private static final String WORDS =
      "A text of several words.\n\nAnother one, after a blank line.\n";
  private static final String BEGINNING = "<|im_start|>";

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws Exception {
    file = Files.writeString(folder.resolve("text.txt"), WORDS);
  }

  @Test
  void textsEndAtBlankLinesAndCountFromTheirFirstToken() {
    try (var tokenizer = TestServer.tokenizer()) {
      var texts = Texts.between(file, tokenizer, 1000, 1000);
      assertEquals(2, texts.size());
      for (var text : texts) {
        assertEquals(0, text.first());
        assertEquals(text.tokens().length - 1, text.positions());
      }
    }
  }

  @Test
  void windowsFollowOneAnotherAndCountFromTheirMiddle() {
    try (var tokenizer = TestServer.tokenizer()) {
      int[] all = tokenizer.encode(WORDS, true);
      var windows = Texts.windows(file, tokenizer, 8, 1000);
      assertEquals(all.length / 8, windows.size());
      for (int i = 0; i < windows.size(); i++) {
        var window = windows.get(i);
        assertArrayEquals(Arrays.copyOfRange(all, 8 * i, 8 * i + 8), window.tokens());
        assertEquals(List.of(4, 5, 6), counted(window));
        assertEquals(3, window.positions());
      }
      assertEquals(1, Texts.windows(file, tokenizer, 8, 15).size());
    }
  }

  @Test
  void windowsBeginAsTextsBegin() throws Exception {
    try (var tokenizer = Tokenizer.open(beginning())) {
      int[] all = tokenizer.encode(WORDS, true);
      var windows = Texts.windows(file, tokenizer, 6, 1000);
      assertTrue(windows.size() > 1);
      for (int i = 0; i < windows.size(); i++) {
        int[] expected = Arrays.copyOfRange(all, 6 * i, 6 * i + 6);
        expected[0] = all[0];
        assertArrayEquals(expected, windows.get(i).tokens());
      }
      assertArrayEquals(new int[] {all[0]}, tokenizer.encode("", true));
    }
  }

  @Test
  void noWholeWindowIsAnError() {
    try (var tokenizer = TestServer.tokenizer()) {
      var refused =
          assertThrows(InferenceException.class, () -> Texts.windows(file, tokenizer, 500, 1000));
      assertEquals(ErrorCode.INVALID_CONFIGURATION, refused.code());
      assertTrue(String.valueOf(refused.getMessage()).contains("no window of 500"));
    }
  }

  private static List<Integer> counted(Text text) {
    return IntStream.range(0, text.tokens().length).filter(text::counts).boxed().toList();
  }

  /** The test model's tokenizer, but one that puts a token before each text. */
  private Path beginning() throws Exception {
    var json = new ObjectMapper();
    var tokenizer =
        (ObjectNode) json.readTree(TestServer.modelFolder().resolve("tokenizer.json").toFile());
    int id = -1;
    for (var token : tokenizer.get("added_tokens")) {
      id = token.get("content").asText().equals(BEGINNING) ? token.get("id").asInt() : id;
    }
    var processor =
        """
        {"type": "TemplateProcessing", "single": %1$s, "pair": %1$s,
         "special_tokens": {"%2$s": {"id": "%2$s", "ids": [%3$d], "tokens": ["%2$s"]}}}
        """
            .formatted(
                """
                [{"SpecialToken": {"id": "%s", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}}]
                """
                    .formatted(BEGINNING),
                BEGINNING,
                id);
    tokenizer.set("post_processor", json.readTree(processor));
    json.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer);
    return folder;
  }
}
