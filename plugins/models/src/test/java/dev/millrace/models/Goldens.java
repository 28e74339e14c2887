package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.testkit.GoldenModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ServiceLoader;

/** The golden models in the test resources. */
final class Goldens {
  private Goldens() {}

  static GoldenModel read(String name) throws IOException {
    return GoldenModel.read(Path.of("src/test/resources/numerics"), name);
  }

  /** The one plugin of ours that serves a model type. */
  static ModelPlugin plugin(String modelType) {
    return ServiceLoader.load(ModelPlugin.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(plugin -> plugin.architectures().contains(modelType))
        .findFirst()
        .orElseThrow();
  }
}
