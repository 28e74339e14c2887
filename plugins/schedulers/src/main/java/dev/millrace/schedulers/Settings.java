package dev.millrace.schedulers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.List;
import java.util.Map;

/**
 * The settings one scheduler was given.
 *
 * @param scheduler its name, for messages
 */
record Settings(String scheduler, Map<String, String> values) {
  Settings {
    values = Map.copyOf(values);
  }

  /** Fails on settings that are not among the known ones. */
  Settings allow(List<String> known) {
    var unknown = values.keySet().stream().filter(name -> !known.contains(name)).sorted().toList();
    if (!unknown.isEmpty()) {
      throw wrong(
          "does not know the settings "
              + unknown
              + "; it has "
              + (known.isEmpty() ? "none" : String.join(", ", known)));
    }
    return this;
  }

  /** A whole number between two bounds, both allowed. */
  int number(String name, int fallback, int least, int most) {
    var text = values.get(name);
    if (text == null) {
      return fallback;
    }
    try {
      int number = Integer.parseInt(text.strip());
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // reported below, like a number out of bounds
    }
    throw wrong(
        "got '%s' for %s; a whole number from %d to %d would do"
            .formatted(text, name, least, most));
  }

  private InferenceException wrong(String what) {
    return new InferenceException(
        ErrorCode.INVALID_CONFIGURATION, "scheduler " + scheduler + " " + what);
  }
}
