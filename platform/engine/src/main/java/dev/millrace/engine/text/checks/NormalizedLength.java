package dev.millrace.engine.text.checks;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Counts the characters of normalized texts. The library shows no normalized text, but a tokenizer
 * that makes a token of every character counts them. The owner closes it.
 */
final class NormalizedLength implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String COUNTER =
      """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
       "pre_tokenizer": {"type": "FixedLength", "length": 1}, "post_processor": null,
       "decoder": null, "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}}
      """;
  private static final Map<String, String> OPTIONS =
      Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false");

  private final HuggingFaceTokenizer whole;
  private final HuggingFaceTokenizer stripped;

  /**
   * Makes the counter of a normalizer.
   *
   * @throws dev.millrace.spi.InferenceException INVALID_CHECKPOINT if the library refuses it
   */
  NormalizedLength(JsonNode normalizer, CheckedFile file) {
    var strip = JSON.createObjectNode().put("type", "Sequence");
    strip
        .putArray("normalizers")
        .add(normalizer)
        .addObject()
        .put("type", "Strip")
        .put("strip_left", true)
        .put("strip_right", true);
    whole = counter(normalizer, file);
    stripped = counter(strip, file);
  }

  private static HuggingFaceTokenizer counter(JsonNode normalizer, CheckedFile file) {
    try {
      var json = (ObjectNode) JSON.readTree(COUNTER);
      json.set("normalizer", normalizer);
      byte[] bytes = json.toString().getBytes(StandardCharsets.UTF_8);
      return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(bytes), OPTIONS);
    } catch (IOException | RuntimeException e) {
      throw file.refused("has a normalizer that cannot be loaded: " + e.getMessage());
    }
  }

  /** The characters of a normalized text. */
  int of(String text) {
    return whole.encode(text, false, false).getIds().length;
  }

  /** The characters of a normalized text without the white space around it. */
  int ofStripped(String text) {
    return stripped.encode(text, false, false).getIds().length;
  }

  @Override
  public void close() {
    whole.close();
    stripped.close();
  }
}
