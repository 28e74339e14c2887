package dev.millrace.engine.text.checks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CharsMapTest {
  private static final CheckedFile FILE = new CheckedFile(Path.of("tokenizer.json"));
  private static final int LEAF = 0x100;

  /** A table that puts "b\u00e9" in the place of "a"; at the root its trie has the offset 256. */
  private static byte[] table(int units, int valueOfA) {
    byte[] texts = "x\0b\u00e9\0".getBytes(StandardCharsets.UTF_8);
    var table =
        ByteBuffer.allocate(4 + 4 * units + texts.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(4 * units);
    put(table, 0, 256 << 10);
    put(table, 256 ^ 'a', 'a' << 10 | LEAF | 'a'); // its offset leads back to 256
    put(table, 256, valueOfA);
    return table.put(4 + 4 * units, texts).array();
  }

  private static void put(ByteBuffer table, int unit, int value) {
    if (8 + 4 * unit <= table.capacity()) {
      table.putInt(4 + 4 * unit, value);
    }
  }

  private static JsonNode text(byte[] table) {
    return TextNode.valueOf(Base64.getEncoder().encodeToString(table));
  }

  private static void assertRefused(byte[] table, String message) {
    var failure = assertThrows(InferenceException.class, () -> CharsMap.check(text(table), FILE));
    assertTrue(String.valueOf(failure.getMessage()).contains(message), failure.getMessage());
  }

  private static ObjectNode tokenizer(byte[] table) throws IOException {
    var json =
        (ObjectNode)
            JsonMapper.builder()
                .build()
                .readTree(
                    """
                    {"version": "1.0", "added_tokens": [], "pre_tokenizer": null, "decoder": null,
                     "post_processor": null,
                     "model": {"type": "BPE", "unk_token": "?", "merges": [],
                      "vocab": {"?": 0, "a": 1, "b": 2, "\u00e9": 3, "x": 4}}}
                    """);
    json.putObject("normalizer")
        .put("type", "Precompiled")
        .set("precompiled_charsmap", text(table));
    return json;
  }

  private static int[] encoded(byte[] table, String text) throws IOException {
    var config = JsonMapper.builder().build().createObjectNode();
    try (var tokenizer = Tokenizer.of(tokenizer(table), config, FILE.path())) {
      return tokenizer.encode(text, false);
    }
  }

  @Test
  void aSoundTableIsTakenAndWorks() throws IOException {
    assertEquals(3, CharsMap.check(text(table(512, 2)), FILE));
    assertArrayEquals(new int[] {2, 3, 2, 4}, encoded(table(512, 2), "abx"));
  }

  @Test
  void aTableThatPointsOutsideItselfIsRefused() {
    assertRefused(table(256, 2), "points outside itself");
    assertRefused(table(511, 2), "points outside itself");
    assertRefused(table(512, 100), "points outside itself");
    assertRefused(table(512, 4), "points outside itself"); // into the middle of a character
  }

  @Test
  void aTableThatIsCutShortIsRefused() {
    byte[] sound = table(512, 2);
    assertRefused(new byte[3], "ends before");
    assertRefused(new byte[4], "ends before");
    assertRefused(Arrays.copyOf(sound, 2_000), "ends before");
    assertRefused(Arrays.copyOf(sound, sound.length - 2), "not UTF-8");
  }

  @Test
  void aTextWithoutEndIsRefused() {
    byte[] sound = table(512, 2);
    byte[] endless = Arrays.copyOf(sound, sound.length + 200);
    Arrays.fill(endless, sound.length - 1, endless.length, (byte) 'x');
    assertRefused(endless, "more than 100 bytes");
  }

  /** The library follows a table that was taken wherever texts lead; it would end the process. */
  @Test
  void whateverIsTakenSurvivesTexts() throws IOException {
    var random = new SplittableRandom(1);
    int taken = 0;
    for (int n = 0; n < 300; n++) {
      byte[] table = table(768, 2);
      for (int hits = random.nextInt(1, 4); hits > 0; hits--) {
        table[random.nextInt(table.length)] = (byte) random.nextInt(256);
      }
      try {
        encoded(table, "aab \u00e9\u4e16\ud83d\ude42 aaaa");
        taken++;
      } catch (InferenceException e) {
        assertTrue(String.valueOf(e.getMessage()).contains("precompiled_charsmap"), e.getMessage());
      }
    }
    assertTrue(taken > 0 && taken < 300, "some are refused, some taken: " + taken);
  }
}
