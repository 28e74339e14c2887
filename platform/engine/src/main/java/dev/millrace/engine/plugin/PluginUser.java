package dev.millrace.engine.plugin;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.SchedulerPlugin;
import java.util.List;

/**
 * Someone who takes plugins from the catalog and holds them: until this is closed, no jar that
 * something was taken from is unloaded. Any thread.
 */
public final class PluginUser implements AutoCloseable {
  private final PluginCatalog catalog;
  private final String what;

  PluginUser(PluginCatalog catalog, String what) {
    this.catalog = catalog;
    this.what = what;
  }

  /** Who this is, for people. */
  public String what() {
    return what;
  }

  /**
   * The model plugin for one of these architecture names, tried in order.
   *
   * @throws InferenceException {@code UNSUPPORTED_MODEL} if there is none
   */
  public ModelPlugin model(List<String> architectures) {
    return catalog.model(architectures, this);
  }

  /**
   * The quantization plugin of this name.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is none
   */
  public QuantizationPlugin quantizer(String name) {
    return catalog.quantizer(name, this);
  }

  /** The names of all quantization plugins. */
  public List<String> quantizers() {
    return catalog.quantizers();
  }

  /**
   * The scheduler plugin of this name.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is none
   */
  public SchedulerPlugin scheduler(String name) {
    return catalog.scheduler(name, this);
  }

  /** Gives up all that was taken; nothing of it may be used any more. */
  @Override
  public void close() {
    catalog.giveUp(this);
  }
}
