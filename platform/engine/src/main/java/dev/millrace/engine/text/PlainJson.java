package dev.millrace.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;

/**
 * Holds a tokenizer.json to what the tokenizers library can parse. It does not merely refuse what
 * it cannot: where that is inside the decoder, it ends the process.
 */
final class PlainJson {
  /** The library's own limit is 128. */
  private static final int DEEPEST = 100;

  private final Path file;

  private PlainJson(Path file) {
    this.file = file;
  }

  /**
   * Checks a file.
   *
   * @throws InferenceException INVALID_CHECKPOINT if it has text that is no Unicode, numbers beyond
   *     all bounds, or nesting without end
   */
  static void check(JsonNode json, Path file) {
    new PlainJson(file).check(json, 0);
  }

  private void check(JsonNode node, int depth) {
    if (depth > DEEPEST) {
      throw ModelFiles.invalid(file, "nests values more than " + DEEPEST + " deep", null);
    }
    if (node.isTextual()) {
      check(node.textValue());
    } else if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
      throw ModelFiles.invalid(
          file, "has the number " + ModelFiles.beginning(node.asText()) + ", too large", null);
    } else if (node.isObject()) {
      for (var field : node.properties()) {
        check(field.getKey());
        check(field.getValue(), depth + 1);
      }
    } else {
      for (var element : node) {
        check(element, depth + 1);
      }
    }
  }

  private void check(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        boolean pair =
            i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
        if (!pair) {
          throw ModelFiles.invalid(
              file, "has half of a surrogate pair in a text; it is no Unicode", null);
        }
        i++;
      }
    }
  }
}
