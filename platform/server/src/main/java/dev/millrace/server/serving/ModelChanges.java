package dev.millrace.server.serving;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import dev.millrace.spi.InferenceException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Changes what is served, one change at a time: the model, or the scheduler of the one in service.
 * Whatever cannot be done leaves everything as it was. Any thread.
 */
public final class ModelChanges {
  private final ModelOpener opener;
  private final PluginCatalog plugins;
  private final ModelSlot slot;
  private final Function<String, EngineListener> listeners;
  private volatile Settings settings;
  private volatile boolean loading;

  /**
   * @param settings of the first model
   * @param listeners what hears of a model's events, by its name
   */
  public ModelChanges(
      ModelOpener opener,
      PluginCatalog plugins,
      ModelSlot slot,
      Function<String, EngineListener> listeners,
      Settings settings) {
    this.opener = opener;
    this.plugins = plugins;
    this.slot = slot;
    this.listeners = listeners;
    this.settings = settings;
  }

  /** What the model in service was opened with, and its present scheduler. */
  public Settings settings() {
    return settings;
  }

  /** Whether a model is being loaded. */
  public boolean loading() {
    return loading;
  }

  /**
   * Loads a model beside the one in service, if there is one, and puts it in its place; the old one
   * answers the requests it has and leaves.
   *
   * @throws InferenceException saying why it cannot be served; the old one then stays
   */
  public synchronized ServedModel open(Settings wanted) {
    loading = true;
    try {
      var model = opener.open(wanted, plugins, listeners.apply(ModelNames.of(wanted).getFirst()));
      slot.fill(model);
      settings = wanted;
      return model;
    } finally {
      loading = false;
    }
  }

  /**
   * Has another scheduler plan from the next step on.
   *
   * @param given the scheduler's own settings; empty: those of the configuration
   * @throws InferenceException saying why it cannot; the old one then stays
   */
  public synchronized void schedule(String name, Map<String, String> given) {
    var all = new HashMap<>(settings.get(Keys.SCHEDULER_SETTINGS));
    if (!given.isEmpty()) {
      all.put(name, given);
    }
    slot.require().host().schedule(name, all.getOrDefault(name, Map.of()));
    settings = settings.with(Keys.SCHEDULER, name).with(Keys.SCHEDULER_SETTINGS, Map.copyOf(all));
  }
}
