package dev.millrace.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Properties;

/** The version of the SPI this testkit was built with; both are released together. */
final class SpiVersion {
  private SpiVersion() {}

  /** Such as 0.1.0; what is on its way to a version counts as that version. */
  static String current() {
    try (var file =
        Objects.requireNonNull(SpiVersion.class.getResourceAsStream("spi.properties"))) {
      var properties = new Properties();
      properties.load(file);
      return properties.getProperty("version", "").replace("-SNAPSHOT", "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
