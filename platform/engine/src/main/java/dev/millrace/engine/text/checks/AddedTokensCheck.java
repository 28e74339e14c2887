package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The added tokens: as many and as long as the library finds in a text, and none of nothing. */
final class AddedTokensCheck {
  /** The library looks at all tokens before it adds one: 65,536 take it 40 seconds. */
  private static final int MOST = 100_000;

  /** White space as the library knows it. */
  private static final Pattern BLANK = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private AddedTokensCheck() {}

  /**
   * Checks the tokens. One that is looked for in the normalized text is normalized itself first, so
   * it must have a length then.
   *
   * @param normalizer the checked normalizer of the file
   */
  static void check(JsonNode tokens, JsonNode normalizer, CheckedFile file) {
    if (tokens.size() > MOST) {
      throw file.refused("has %d added tokens; the most is %d".formatted(tokens.size(), MOST));
    }
    boolean stripsRight = false;
    boolean normalizes = false;
    for (JsonNode token : tokens) {
      ModelCheck.checkLength(token.path("content"), file);
      stripsRight |= token.path("rstrip").asBoolean();
      normalizes |= token.path("normalized").asBoolean();
    }
    if (normalizes && normalizer.isObject()) {
      try (var lengths = new NormalizedLength(normalizer, file)) {
        checkEach(tokens, stripsRight, lengths, file);
      }
    } else {
      checkEach(tokens, stripsRight, null, file);
    }
  }

  private static void checkEach(
      JsonNode tokens, boolean stripsRight, @Nullable NormalizedLength lengths, CheckedFile file) {
    for (JsonNode token : tokens) {
      JsonNode content = token.path("content");
      String text = content.asText();
      boolean blank = BLANK.matcher(text).matches();
      if (lengths != null && token.path("normalized").asBoolean() && !text.isEmpty()) {
        int length = lengths.of(text);
        if (length == 0 || length > ModelCheck.LONGEST_TOKEN) {
          throw file.refused(
              "has the added token %s, which is normalized to %d characters"
                  .formatted(CheckedFile.shown(content), length));
        }
        blank = lengths.ofStripped(text) == 0;
      }
      // the token before may have taken its blanks: it would end before it begins
      if (blank && stripsRight && token.path("lstrip").asBoolean()) {
        throw file.refused(
            "has the added token %s of white space with lstrip, beside one with rstrip"
                .formatted(CheckedFile.shown(content)));
      }
    }
  }
}
