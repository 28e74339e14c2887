package dev.millrace.quantizers;

import dev.millrace.testkit.PluginJarContract;
import java.nio.file.Path;

/** Runs in the phase after packaging. */
class QuantizersJarIT extends PluginJarContract {
  @Override
  protected Path jar() {
    return Path.of(System.getProperty("millrace.plugin.jar", "no jar: run mvn verify"));
  }
}
