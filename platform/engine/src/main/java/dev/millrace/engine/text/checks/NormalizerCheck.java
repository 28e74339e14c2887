package dev.millrace.engine.text.checks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The steps of the normalizer: sound one by one, and no text without end from all together. */
final class NormalizerCheck {
  /**
   * How many times as long as it was a text may become; the steps of no known model reach 1,000.
   */
  static final double LARGEST_GROWTH = 10_000;

  private NormalizerCheck() {}

  static void check(List<JsonNode> steps, CheckedFile file) {
    double growth = 1;
    for (JsonNode step : steps) {
      growth *=
          switch (step.path("type").textValue()) {
            case "Precompiled" -> CharsMap.check(step.path("precompiled_charsmap"), file);
            case "Replace" -> Replacement.check(step, file);
            case "Prepend" -> 1 + step.path("prepend").asText().getBytes(UTF_8).length;
            case "ByteLevel" -> 2; // of a byte becomes a character of up to two bytes
            default -> 1;
          };
    }
    if (growth > LARGEST_GROWTH) {
      throw file.refused(
          "has a normalizer that makes a text up to %.0f times as long; the most is %.0f"
              .formatted(growth, LARGEST_GROWTH));
    }
  }
}
