package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The post-processor: at most one template, of the one text there is and of described tokens. */
final class PostProcessorCheck {
  private PostProcessorCheck() {}

  static void check(List<JsonNode> steps, CheckedFile file) {
    // found by their fields, as the library does; it does not look at their type
    List<JsonNode> templates =
        steps.stream().filter(step -> step.has("single") || step.has("pair")).toList();
    if (templates.size() > 1) {
      throw file.refused("has a post_processor of more than one template");
    }
    for (JsonNode template : templates) {
      checkTokens(template.path("special_tokens"), file);
      for (String which : new String[] {"single", "pair"}) {
        for (JsonNode part : template.path(which)) {
          checkPart(part, which, template.path("special_tokens"), file);
        }
      }
    }
  }

  private static void checkTokens(JsonNode described, CheckedFile file) {
    for (JsonNode token : described) {
      JsonNode ids = token.path("ids");
      JsonNode tokens = token.path("tokens");
      if (!described.isObject() || !ids.isArray() || ids.size() != tokens.size()) {
        throw file.refused(
            "has a post_processor whose special token %s lacks an id for each of its tokens"
                .formatted(CheckedFile.shown(token)));
      }
    }
  }

  private static void checkPart(JsonNode part, String which, JsonNode described, CheckedFile file) {
    JsonNode id = part.path("SpecialToken").path("id");
    if (id.isTextual()) {
      if (!described.has(id.textValue())) {
        throw file.refused(
            "has a post_processor that adds %s, which its special_tokens lack"
                .formatted(CheckedFile.shown(id)));
      }
      return;
    }
    String text = part.path("Sequence").path("id").asText();
    if (!text.equals("A") && !(text.equals("B") && which.equals("pair"))) {
      throw file.refused(
          "has a post_processor whose template of a %s has the part %s"
              .formatted(which, CheckedFile.shown(part)));
    }
  }
}
