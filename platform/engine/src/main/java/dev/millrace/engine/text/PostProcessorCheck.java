package dev.millrace.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;

/**
 * Holds the post-processor of a tokenizer.json to what the tokenizers library takes for granted: a
 * template that puts in a special token which is not described would end the process when a text is
 * encoded.
 */
final class PostProcessorCheck {
  private PostProcessorCheck() {}

  /**
   * Checks a post-processor, with all that is in it.
   *
   * @throws InferenceException INVALID_CHECKPOINT naming the token
   */
  static void check(JsonNode processor, Path file) {
    processor.path("processors").forEach(part -> check(part, file));
    JsonNode described = processor.path("special_tokens");
    for (String which : new String[] {"single", "pair"}) {
      for (JsonNode part : processor.path(which)) {
        JsonNode token = part.path("SpecialToken");
        if (token.isObject() && !described.has(token.path("id").asText())) {
          throw ModelFiles.invalid(
              file,
              "has a post_processor that adds %s, which its special_tokens lack"
                  .formatted(ModelFiles.beginning(String.valueOf(token.path("id")))),
              null);
        }
      }
    }
    for (JsonNode token : described) {
      if (token.path("ids").size() != token.path("tokens").size()) {
        throw ModelFiles.invalid(
            file,
            "has a post_processor whose special token %s has %d ids and %d tokens"
                .formatted(
                    ModelFiles.beginning(String.valueOf(token.path("id"))),
                    token.path("ids").size(),
                    token.path("tokens").size()),
            null);
      }
    }
  }
}
