package dev.millrace.models;

import dev.millrace.testkit.GoldenModel;
import java.io.IOException;
import java.nio.file.Path;

/** The golden models in the test resources. */
final class Goldens {
  private Goldens() {}

  static GoldenModel read(String name) throws IOException {
    return GoldenModel.read(Path.of("src/test/resources/numerics"), name);
  }
}
