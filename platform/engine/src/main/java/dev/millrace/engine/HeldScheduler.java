package dev.millrace.engine;

import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.plugin.PluginUser;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Scheduler;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A scheduler made by a plugin, whose jar stays loaded until this is closed. */
record HeldScheduler(PluginUser user, NamedScheduler named) implements AutoCloseable {

  /**
   * Makes a scheduler.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is none of this name or its
   *     settings are wrong, {@code INVALID_PLUGIN} if the plugin fails
   */
  static HeldScheduler take(PluginCatalog plugins, String name, Map<String, String> settings) {
    var user = plugins.user("scheduler " + name);
    try {
      return new HeldScheduler(
          user, new NamedScheduler(name, create(user.scheduler(name), name, settings)));
    } catch (RuntimeException | Error e) {
      user.close();
      throw e;
    }
  }

  private static Scheduler create(
      SchedulerPlugin plugin, String name, Map<String, String> settings) {
    Scheduler scheduler;
    try {
      scheduler = plugin.create(settings);
    } catch (InferenceException e) {
      throw e;
    } catch (RuntimeException | LinkageError | StackOverflowError e) {
      throw invalid(name, "cannot be made: " + e, e);
    }
    if (scheduler == null) {
      throw invalid(name, "is null", null);
    }
    return scheduler;
  }

  private static InferenceException invalid(String name, String what, @Nullable Throwable cause) {
    return new InferenceException(
        ErrorCode.INVALID_PLUGIN, "scheduler " + name + " " + what, cause);
  }

  @Override
  public void close() {
    user.close();
  }
}
