package dev.millrace.engine.text.checks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;

/** The model: merges that its prefix can be cut from, pieces and words of bounded length. */
final class ModelCheck {
  /**
   * Bytes of one token. Unigram keeps its tokens in a tree that is as deep as the longest, and
   * leaves it by recursion; no trained vocabulary comes near.
   */
  static final int LONGEST_TOKEN = 1_000;

  /** BERT has 100. WordPiece's time for a word grows with the cube of its length. */
  private static final int LONGEST_WORD = 1_000;

  private ModelCheck() {}

  static void check(JsonNode model, CheckedFile file) {
    checkMerges(model, file);
    JsonNode vocabulary = model.path("vocab");
    if (vocabulary.isArray()) {
      for (JsonNode piece : vocabulary) {
        checkLength(piece.path(0), file);
      }
    }
    JsonNode longest = model.path("max_input_chars_per_word");
    if (longest.isNumber() && longest.asDouble() > LONGEST_WORD) {
      throw file.refused(
          "has the max_input_chars_per_word %s; the most is %d"
              .formatted(CheckedFile.shown(longest), LONGEST_WORD));
    }
  }

  /** The library cuts as many bytes off the second part as the prefix has, whatever they are. */
  private static void checkMerges(JsonNode model, CheckedFile file) {
    String prefix = model.path("continuing_subword_prefix").asText("");
    if (prefix.isEmpty() || model.path("continuing_subword_prefix").isNull()) {
      return;
    }
    for (JsonNode merge : model.path("merges")) {
      String second =
          merge.isTextual()
              ? merge.textValue().substring(merge.textValue().indexOf(' ') + 1)
              : merge.path(1).asText();
      boolean comment = merge.isTextual() && merge.textValue().startsWith("#version");
      if (!comment && !second.startsWith(prefix)) {
        throw file.refused(
            "has the merge %s, whose second part lacks the continuing_subword_prefix %s"
                .formatted(
                    CheckedFile.shown(merge),
                    CheckedFile.shown(model.get("continuing_subword_prefix"))));
      }
    }
  }

  /** Refuses a token that is longer than any vocabulary's. */
  static void checkLength(JsonNode token, CheckedFile file) {
    // a Java char is at least one byte and at most three
    if (token.isTextual() && token.textValue().length() > LONGEST_TOKEN / 3) {
      int bytes = token.textValue().getBytes(UTF_8).length;
      if (bytes > LONGEST_TOKEN) {
        throw file.refused(
            "has the token %s of %d bytes; the most is %d"
                .formatted(CheckedFile.shown(token), bytes, LONGEST_TOKEN));
      }
    }
  }
}
