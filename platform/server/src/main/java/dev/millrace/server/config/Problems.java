package dev.millrace.server.config;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Collects what is wrong, so that all of it is said at once. */
final class Problems {

  private final List<String> lines = new ArrayList<>();
  private final Set<String> paths = new HashSet<>();

  void add(String path, String message) {
    paths.add(path);
    lines.add((path.isEmpty() ? "file" : path) + ": " + message);
  }

  /** For checks of what was read: a value that could not be read was said to be wrong already. */
  void addUnlessSaid(String path, String message) {
    if (!paths.contains(path)) {
      add(path, message);
    }
  }

  void unknown(String path, String name, Collection<String> known) {
    var distance = new LevenshteinDistance(1 + name.length() / 4); // further is no slip
    add(
        path,
        known.stream()
            .filter(candidate -> distance.apply(name, candidate) >= 0)
            .min(Comparator.comparing(candidate -> distance.apply(name, candidate)))
            .map(nearest -> "unknown key, did you mean \"" + nearest + "\"?")
            .orElseGet(() ->
                "unknown key; known are " + String.join(", ", known.stream().sorted().toList())));
  }

  void throwAsErrorIfAny() {
    if (!lines.isEmpty()) {
      throw new InferenceException(ErrorCode.INVALID_CONFIGURATION, String.join("; ", lines));
    }
  }

  void throwIfAny(String source) throws ConfigurationProblems {
    if (!lines.isEmpty()) {
      throw new ConfigurationProblems(source, lines);
    }
  }
}
