package dev.millrace.engine.plugin;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.SchedulerPlugin;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pf4j.PluginRuntimeException;
import org.pf4j.PluginWrapper;

/**
 * One open jar and what it provides. Each has a PF4J manager of its own, so two versions of one id
 * can be open, and nothing of it is left once it is closed. Guarded by the catalog.
 */
final class LoadedPlugin {
  private final String jar;
  private final Path copy;
  private final String id;
  private final String version;
  private final JarManager manager;
  private final Map<String, ModelPlugin> models;
  private final Map<String, QuantizationPlugin> quantizers;
  private final Map<String, SchedulerPlugin> schedulers;
  private final Set<PluginUser> users = new LinkedHashSet<>();

  private LoadedPlugin(String jar, Path copy, JarManager manager, PluginWrapper plugin) {
    this.jar = jar;
    this.copy = copy;
    this.manager = manager;
    this.id = plugin.getPluginId();
    this.version = plugin.getDescriptor().getVersion();
    var loader = plugin.getPluginClassLoader();
    this.models =
        named("architecture", providers(loader, ModelPlugin.class), ModelPlugin::architectures);
    this.quantizers =
        named(
            "quantization",
            providers(loader, QuantizationPlugin.class),
            p -> Collections.singletonList(p.name()));
    this.schedulers =
        named(
            "scheduler",
            providers(loader, SchedulerPlugin.class),
            p -> Collections.singletonList(p.name()));
    if (models.isEmpty() && quantizers.isEmpty() && schedulers.isEmpty()) {
      throw new UnfitJarException(
          "it provides nothing: list its classes in META-INF/services/"
              + ModelPlugin.class.getName()
              + " (or QuantizationPlugin, SchedulerPlugin)");
    }
  }

  /**
   * Opens a copy that was inspected.
   *
   * @param jar the file's name, for people
   * @throws UnfitJarException saying why it cannot be used; nothing stays open
   */
  static LoadedPlugin open(String jar, Path copy) {
    var manager = new JarManager(PluginCatalog.SPI_VERSION);
    try {
      var id = manager.loadPlugin(copy);
      var state = manager.startPlugin(id);
      var plugin = manager.getPlugin(id);
      var descriptor = plugin.getDescriptor();
      if (state.isDisabled()) {
        throw new UnfitJarException(
            "it needs SPI " + descriptor.getRequires() + ", this is " + PluginCatalog.SPI_VERSION);
      }
      if (!state.isStarted()) {
        var cause = plugin.getFailedException();
        throw new UnfitJarException(
            "its " + descriptor.getPluginClass() + " cannot be started: " + cause, cause);
      }
      return new LoadedPlugin(jar, copy, manager, plugin);
    } catch (RuntimeException | LinkageError e) {
      manager.unloadPlugins();
      throw switch (e) {
        case UnfitJarException said -> said;
        case PluginRuntimeException said ->
            new UnfitJarException(String.valueOf(said.getMessage()), said);
        default -> new UnfitJarException("it fails with " + e, e);
      };
    }
  }

  @SuppressWarnings("ReferenceEquality") // the very loader is meant
  private static <T> List<T> providers(ClassLoader loader, Class<T> type) {
    try {
      return ServiceLoader.load(type, loader).stream()
          .filter(provider -> provider.type().getClassLoader() == loader)
          .map(ServiceLoader.Provider::get)
          .toList();
    } catch (ServiceConfigurationError | LinkageError e) {
      var cause = e.getCause();
      throw new UnfitJarException(
          cause == null ? String.valueOf(e.getMessage()) : e.getMessage() + ": " + cause, e);
    }
  }

  /** By name; asked once, so that no later call of ours waits for a plugin's code. */
  private <T> Map<String, T> named(
      String kind, List<T> providers, Function<T, Collection<String>> namesOf) {
    var byName = new LinkedHashMap<String, T>();
    for (T provider : providers) {
      for (@Nullable String name : namesOf.apply(provider)) {
        if (name == null || name.isBlank()) {
          throw new UnfitJarException("a plugin for " + kind + " has no name");
        }
        if (byName.putIfAbsent(name, provider) != null) {
          throw new UnfitJarException(kind + " " + name + " is already provided by " + jar);
        }
      }
    }
    return Collections.unmodifiableMap(byName);
  }

  /** What both answer to, with its kind in front; empty if nothing. */
  Optional<String> sharedName(LoadedPlugin other) {
    return shared("architecture", models, other.models)
        .or(() -> shared("quantization", quantizers, other.quantizers))
        .or(() -> shared("scheduler", schedulers, other.schedulers));
  }

  private static Optional<String> shared(String kind, Map<String, ?> one, Map<String, ?> two) {
    return one.keySet().stream().filter(two::containsKey).findFirst().map(n -> kind + " " + n);
  }

  String jar() {
    return jar;
  }

  String id() {
    return id;
  }

  String version() {
    return version;
  }

  Map<String, ModelPlugin> models() {
    return models;
  }

  Map<String, QuantizationPlugin> quantizers() {
    return quantizers;
  }

  Map<String, SchedulerPlugin> schedulers() {
    return schedulers;
  }

  /** Who holds something of it. */
  Set<PluginUser> users() {
    return users;
  }

  PluginInfo info() {
    return new PluginInfo(
        id,
        version,
        jar,
        List.copyOf(models.keySet()),
        List.copyOf(quantizers.keySet()),
        List.copyOf(schedulers.keySet()),
        users.stream().map(PluginUser::what).toList());
  }

  void close() {
    manager.unloadPlugins();
    PrivateCopies.delete(copy);
  }
}
