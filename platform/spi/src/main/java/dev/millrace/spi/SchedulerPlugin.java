package dev.millrace.spi;

import dev.millrace.spi.schedule.Scheduler;
import java.util.Map;

/** Makes schedulers. A scheduler decides; the engine allocates, preempts, runs and frees. */
public interface SchedulerPlugin {

  /** The name used by {@code --scheduler}, in configuration and in metrics. */
  String name();

  /**
   * A fresh scheduler for one engine.
   *
   * @param settings the plugin's own block of the configuration
   * @throws InferenceException {@code INVALID_CONFIGURATION} naming the setting that is wrong;
   *     unknown settings are wrong
   */
  Scheduler create(Map<String, String> settings);
}
