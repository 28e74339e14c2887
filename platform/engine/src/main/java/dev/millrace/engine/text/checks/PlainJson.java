package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Text that is Unicode, numbers and nesting with bounds: where the library's JSON reader panics.
 */
final class PlainJson {
  /** The library's own limit is 128. */
  private static final int DEEPEST = 100;

  private final CheckedFile file;

  private PlainJson(CheckedFile file) {
    this.file = file;
  }

  static void check(JsonNode json, CheckedFile file) {
    new PlainJson(file).check(json, 0);
  }

  private void check(JsonNode node, int depth) {
    if (depth > DEEPEST) {
      throw file.refused("nests values more than " + DEEPEST + " deep");
    }
    if (node.isTextual()) {
      check(node.textValue());
    } else if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
      throw file.refused("has the number " + CheckedFile.shown(node) + ", too large");
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
          throw file.refused("has half of a surrogate pair in a text; it is no Unicode");
        }
        i++;
      }
    }
  }
}
