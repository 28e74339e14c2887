package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The steps of the decoder: what they strip is there, and what they put in has an end. */
final class DecoderCheck {
  private DecoderCheck() {}

  static void check(List<JsonNode> steps, CheckedFile file) {
    double growth = 1;
    for (JsonNode step : steps) {
      String type = step.path("type").textValue();
      // at the end of a token the library counts down past its beginning
      if (type.equals("Strip") && step.path("stop").asDouble() != 0) {
        throw file.refused("has a decoder that strips the end of tokens; only 0 can be its stop");
      }
      if (type.equals("Replace")) {
        growth *= Replacement.check(step, file);
      }
    }
    if (growth > NormalizerCheck.LARGEST_GROWTH) {
      throw file.refused(
          "has a decoder that makes a text up to %.0f times as long; the most is %.0f"
              .formatted(growth, NormalizerCheck.LARGEST_GROWTH));
    }
  }
}
