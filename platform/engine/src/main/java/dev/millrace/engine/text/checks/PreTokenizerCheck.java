package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The steps of the pre-tokenizer: parts of some length, and expressions that can be read. */
final class PreTokenizerCheck {
  private PreTokenizerCheck() {}

  static void check(List<JsonNode> steps, CheckedFile file) {
    for (JsonNode step : steps) {
      JsonNode length = step.path("length");
      if (length.isNumber() && length.asDouble() < 1) {
        throw file.refused("has a pre_tokenizer that makes parts of no length");
      }
      RegexShape.check(step.path("pattern").path("Regex"), file);
    }
  }
}
