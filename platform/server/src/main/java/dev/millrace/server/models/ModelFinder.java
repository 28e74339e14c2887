package dev.millrace.server.models;

import dev.millrace.engine.hub.Extent;
import dev.millrace.engine.hub.Hub;
import dev.millrace.engine.hub.HubReference;
import dev.millrace.engine.hub.HubSettings;
import dev.millrace.engine.hub.ModelLocator;
import dev.millrace.engine.hub.PullListener;
import dev.millrace.engine.load.LoadFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Finds the model that a flag names, on the disk or on the hub. Any thread. */
public final class ModelFinder {
  private final Supplier<HubSettings> settings;
  private final PullListener listener;

  /** One that asks the hub of the environment. */
  public ModelFinder(PullListener listener) {
    this(() -> HubSettings.of(System.getenv()), listener);
  }

  /**
   * One that asks another hub.
   *
   * @param settings of the hub, asked for when it is needed
   */
  public ModelFinder(Supplier<HubSettings> settings, PullListener listener) {
    this.settings = settings;
    this.listener = listener;
  }

  /** What messages call a model: its name on the hub, or that of its directory or file. */
  public static String name(String model) {
    return ModelLocator.reference(model)
        .map(HubReference::toString)
        .orElseGet(() -> String.valueOf(Path.of(model).getFileName()));
  }

  /**
   * Where the model is, once it is there.
   *
   * @param check what a directory of the hub must pass before its weights are fetched
   * @throws dev.millrace.spi.InferenceException saying where was looked, and what would help
   */
  public Path find(String model, LoadFormat format, Consumer<Path> check) {
    return ModelLocator.locate(model, wanted -> fetch(wanted, format, check));
  }

  private Path fetch(HubReference wanted, LoadFormat format, Consumer<Path> check) {
    try (var hub = new Hub(settings.get())) {
      var texts = hub.pull(wanted, Extent.WITHOUT_WEIGHTS, listener);
      if (format == LoadFormat.DUMMY || !Files.isDirectory(texts)) {
        return texts;
      }
      check.accept(texts);
      return hub.pull(wanted, Extent.ALL, listener);
    }
  }
}
