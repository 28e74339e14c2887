package dev.millrace.server.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One thing that can be set: a key of the configuration file and a flag of {@code serve}, both by
 * this name.
 *
 * @param byDefault null if the default depends on the model or the machine
 */
public record Setting<T>(String name, Kind<T> kind, @Nullable T byDefault, String help) {

  /** Puts what a file or a flag says, if it says something; at this path if it is wrong. */
  void read(
      String path, @Nullable JsonNode node, Map<Setting<?>, Object> given, Problems problems) {
    if (node == null || node.isNull()) {
      return;
    }
    var value = kind.reader().apply(node);
    if (value == null) {
      problems.add(path, "found %s, expected %s".formatted(node, kind.expected()));
    } else {
      given.put(this, value);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
