package dev.millrace.server;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/** The directory of the distribution, where this program's jar lies beside plugins and models. */
final class Home {
  private Home() {}

  static Path path(String name) {
    var given = System.getProperty("millrace.home");
    return (given != null ? Path.of(given) : ofJar()).resolve(name);
  }

  private static Path ofJar() {
    try {
      var jar = Home.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      return Objects.requireNonNull(Path.of(jar).getParent(), "a jar in a directory");
    } catch (URISyntaxException e) {
      throw new IllegalStateException("the place of this program's jar cannot be read", e);
    }
  }
}
