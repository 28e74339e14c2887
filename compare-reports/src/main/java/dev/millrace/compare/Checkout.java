package dev.millrace.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** The directory whose {@code ./millrace} has started this program, and where its reports go. */
public final class Checkout {
  private static final DateTimeFormatter NOW = DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss");

  private Checkout() {}

  /**
   * The directory.
   *
   * @throws IllegalArgumentException if the program was started in another way
   */
  public static Path root() {
    String root = System.getProperty("millrace.root");
    if (root == null) {
      throw new IllegalArgumentException(
          "the launcher is not known; start this program by ./millrace");
    }
    return Path.of(root);
  }

  /**
   * The folder for a report: the one that was asked for, else a new one in {@code target}.
   *
   * @param kind of report
   * @throws IllegalArgumentException if something lies in the folder already
   */
  public static Path reportFolder(@Nullable Path asked, String kind) throws IOException {
    if (asked == null) {
      var now = LocalDateTime.now(ZoneId.systemDefault()).format(NOW);
      return root().resolve("target").resolve(kind).resolve(now);
    }
    if (Files.exists(asked)) {
      try (var entries = Files.newDirectoryStream(asked)) {
        if (entries.iterator().hasNext()) {
          throw new IllegalArgumentException(
              "--out " + asked + " is not empty; one report is not written over another");
        }
      }
    }
    return asked;
  }
}
