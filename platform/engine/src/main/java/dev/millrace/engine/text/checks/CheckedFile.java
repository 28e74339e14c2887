package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The file that is checked: its parts, and how it is refused. */
record CheckedFile(Path path) {
  private static final int LONGEST_SHOWN = 100;

  /** The error that names the file; {@code problem} goes on after its name. */
  InferenceException refused(String problem) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " " + problem);
  }

  /** A value as a message shows it: its beginning, as JSON. */
  static String shown(JsonNode value) {
    String text = value.isMissingNode() ? "nothing" : value.toString();
    return text.length() > LONGEST_SHOWN ? text.substring(0, LONGEST_SHOWN) + "…" : text;
  }

  /**
   * The steps of one component in their order, those of a sequence after the sequence itself. Each
   * must be an object with a type: the library would take some as arrays or without one too, and
   * then a check that looks at names sees nothing.
   *
   * @param name such as {@code normalizer}
   * @param steps where a sequence has its steps, such as {@code normalizers}
   */
  List<JsonNode> steps(JsonNode component, String name, String steps) {
    var all = new ArrayList<JsonNode>();
    if (!component.isMissingNode() && !component.isNull()) {
      collect(component, name, steps, all);
    }
    return all;
  }

  private void collect(JsonNode component, String name, String steps, List<JsonNode> all) {
    if (!component.isObject() || !component.path("type").isTextual()) {
      throw refused(
          "has in its %s %s; there must be an object with a type"
              .formatted(name, shown(component)));
    }
    all.add(component);
    component.path(steps).forEach(step -> collect(step, name, steps, all));
  }
}
