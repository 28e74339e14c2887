package dev.millrace.server.serving;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Changes what is served, one change at a time: the model, or the scheduler of the one in service.
 * Whatever cannot be done leaves everything as it was; while one change is made, which may take as
 * long as a model takes to load, others are refused. Any thread.
 */
public final class ModelChanges {
  private final ModelOpener opener;
  private final PluginCatalog plugins;
  private final ModelSlot slot;
  private final Function<String, EngineListener> listeners;
  private final Consumer<InferenceException> onLoss;
  private volatile Settings settings;
  private final ReentrantLock oneAtATime = new ReentrantLock();
  private volatile boolean loading;

  /**
   * @param settings of the first model
   * @param listeners what hears of a model's events, by its name
   * @param onLoss what hears that a model or its device is lost; must return at once
   */
  public ModelChanges(
      ModelOpener opener,
      PluginCatalog plugins,
      ModelSlot slot,
      Function<String, EngineListener> listeners,
      Consumer<InferenceException> onLoss,
      Settings settings) {
    this.opener = opener;
    this.plugins = plugins;
    this.slot = slot;
    this.listeners = listeners;
    this.onLoss = onLoss;
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
  public ServedModel open(Settings wanted) {
    begin();
    loading = true;
    try {
      var model = opener.open(wanted, plugins, listeners.apply(ModelNames.of(wanted).getFirst()));
      var _ = model.engine().lost().thenAccept(onLoss);
      slot.fill(model);
      settings = wanted;
      return model;
    } finally {
      loading = false;
      oneAtATime.unlock();
    }
  }

  /**
   * Has another scheduler plan from the next step on.
   *
   * @param given the scheduler's own settings; empty: those of the configuration
   * @throws InferenceException saying why it cannot; the old one then stays
   */
  public void schedule(String name, Map<String, String> given) {
    begin();
    try {
      switchTo(name, given);
    } finally {
      oneAtATime.unlock();
    }
  }

  private void begin() {
    if (!oneAtATime.tryLock()) {
      throw new InferenceException(
          ErrorCode.UNAVAILABLE,
          (loading ? "a model is being loaded" : "another change is being made")
              + "; try again once GET /admin/model says that it is over");
    }
  }

  private void switchTo(String name, Map<String, String> given) {
    var all = new HashMap<>(settings.get(Keys.SCHEDULER_SETTINGS));
    if (!given.isEmpty()) {
      all.put(name, given);
    }
    slot.require().host().schedule(name, all.getOrDefault(name, Map.of()));
    settings = settings.with(Keys.SCHEDULER, name).with(Keys.SCHEDULER_SETTINGS, Map.copyOf(all));
  }
}
