package dev.millrace.engine.hub;

import java.nio.file.Path;

/**
 * What came of hashing a content.
 *
 * @param path of a file in the repository that has the content
 * @param blob where it lies
 */
public record VerifiedFile(String path, Path blob, Result result) {

  /** Whether a content is what its name says. */
  public enum Result {
    GOOD,
    DAMAGED,
    /** The link leads nowhere. */
    MISSING,
    /** Its name is no hash. */
    UNKNOWN
  }

  /** Whether something is wrong with it. */
  public boolean wrong() {
    return result == Result.DAMAGED || result == Result.MISSING;
  }
}
