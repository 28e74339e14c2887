package dev.millrace.server.serving;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.config.Settings;

/** Loads a model and starts its engine; takes as long as that takes. */
public interface ModelOpener {
  /**
   * Opens what the settings name.
   *
   * @throws dev.millrace.spi.InferenceException saying what cannot be opened
   */
  ServedModel open(Settings settings, PluginCatalog plugins, EngineListener listener);
}
