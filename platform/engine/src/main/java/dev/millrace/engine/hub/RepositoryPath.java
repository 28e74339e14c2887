package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Set;

/** Names of files in a repository: they come from the network, and become paths on the disk. */
final class RepositoryPath {
  private static final Set<String> LEADING_ELSEWHERE = Set.of("", ".", "..");

  private RepositoryPath() {}

  /** Whether a name stays below the folder that it is resolved against, on any system. */
  static boolean isSafe(String name) {
    if (name.chars().anyMatch(c -> c < ' ' || c == '\\' || c == ':' || c == 0x7f)) {
      return false;
    }
    for (String part : name.split("/", -1)) {
      if (LEADING_ELSEWHERE.contains(part)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The name itself.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if it is not safe
   */
  static String checked(String name, String source) {
    if (!isSafe(name)) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s names a file \"%s\", which would lie outside the model's folder"
              .formatted(source, name));
    }
    return name;
  }
}
