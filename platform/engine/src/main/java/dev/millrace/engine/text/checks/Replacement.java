package dev.millrace.engine.text.checks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;

/** A {@code Replace} step of a normalizer or decoder. */
final class Replacement {
  private Replacement() {}

  /**
   * Checks a step. One that puts text in where it has matched nothing leaves the library's table of
   * offsets too short for the next step.
   *
   * @return how many times as long as it was a text may become
   */
  static double check(JsonNode step, CheckedFile file) {
    JsonNode pattern = step.path("pattern");
    int content = step.path("content").asText().getBytes(UTF_8).length;
    boolean literal = pattern.has("String");
    JsonNode written = pattern.path(literal ? "String" : "Regex");
    int least =
        literal ? written.asText().getBytes(UTF_8).length : RegexShape.check(written, file).least();
    if (least == 0 && content > 0) {
      throw file.refused(
          "has a Replace step whose pattern %s matches where nothing is"
              .formatted(CheckedFile.shown(written)));
    }
    return content == 0 ? 1 : Math.max(1, (double) content / least);
  }
}
