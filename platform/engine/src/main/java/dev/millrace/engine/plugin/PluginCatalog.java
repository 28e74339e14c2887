package dev.millrace.engine.plugin;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pf4j.DefaultVersionManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugin jars of a folder that are loaded, and what they provide. Jars come and go while others
 * are in use; of several versions of one id the last one loaded answers to a name. Any thread.
 */
public final class PluginCatalog implements AutoCloseable {
  /** The version of the plugin API that jars name in {@code Plugin-Requires}. */
  public static final String SPI_VERSION = "0.1.0";

  private static final Logger LOG = LoggerFactory.getLogger(PluginCatalog.class);
  private static final String JAR = ".jar";

  private final Path folder;
  private final PrivateCopies copies = new PrivateCopies();

  /** In the order in which they were loaded. */
  private final List<LoadedPlugin> loaded = new ArrayList<>();

  private PluginCatalog(Path folder) {
    this.folder = folder;
  }

  /**
   * Loads all jars of a folder; of several versions of one id the newest answers.
   *
   * @throws InferenceException {@code INVALID_PLUGIN} naming the jar that cannot be used and the
   *     cure, {@code INVALID_CONFIGURATION} if there is no such folder
   */
  public static PluginCatalog open(Path folder) {
    var catalog = new PluginCatalog(folder);
    try {
      catalog.jars().forEach(catalog::load);
      var versions = new DefaultVersionManager();
      catalog.loaded.sort(Comparator.comparing(LoadedPlugin::version, versions::compareVersions));
      return catalog;
    } catch (RuntimeException e) {
      catalog.close();
      throw e;
    }
  }

  /**
   * Loads one more jar of the folder.
   *
   * @param jar its file name
   * @throws InferenceException {@code UNKNOWN_PLUGIN} if there is no such file there, {@code
   *     INVALID_PLUGIN} if it cannot be used, saying what would do
   */
  public PluginInfo load(String jar) {
    var file = file(jar);
    Path copy = null;
    LoadedPlugin plugin = null;
    try {
      copy = copies.copy(file);
      JarInspection.inspect(copy);
      plugin = LoadedPlugin.open(jar, copy);
      return add(plugin);
    } catch (UnfitJarException e) {
      discard(copy, plugin);
      throw refused(jar, e.getMessage(), e);
    } catch (IOException | RuntimeException | LinkageError e) {
      discard(copy, plugin);
      throw refused(jar, "it fails with " + e, e);
    }
  }

  private synchronized PluginInfo add(LoadedPlugin plugin) {
    claim(plugin);
    loaded.add(plugin);
    LOG.info("plugin {} {} loaded from {}", plugin.id(), plugin.version(), plugin.jar());
    return plugin.info();
  }

  private static void discard(@Nullable Path copy, @Nullable LoadedPlugin plugin) {
    if (plugin != null) {
      plugin.close();
    } else if (copy != null) {
      PrivateCopies.delete(copy);
    }
  }

  /** A jar is called by its name alone, and lies in the folder itself. */
  private Path file(String jar) {
    try {
      var file = folder.resolve(jar);
      if (jar.endsWith(JAR)
          && file.getFileName().toString().equals(jar)
          && Files.isRegularFile(file)
          && file.toRealPath().startsWith(folder.toRealPath())) {
        return file;
      }
    } catch (IOException | IllegalArgumentException _) {
      // no such file, or no name of one
    }
    throw new InferenceException(
        ErrorCode.UNKNOWN_PLUGIN, "the plugin folder has no jar " + jar + "; it has " + jars());
  }

  /** A name says which plugin is meant, so jars of two ids cannot share it. */
  private void claim(LoadedPlugin plugin) {
    for (var other : loaded) {
      if (!other.id().equals(plugin.id())) {
        other
            .sharedName(plugin)
            .ifPresent(name -> {
              throw new UnfitJarException(
                  name + " is already provided by " + other.jar() + "; remove one");
            });
      } else if (other.version().equals(plugin.version())) {
        throw new UnfitJarException(
            "%s %s is already loaded, from %s; give a changed plugin another version"
                .formatted(other.id(), other.version(), other.jar()));
      }
    }
  }

  /**
   * Unloads a plugin that nobody uses.
   *
   * @param version null: the only one that is loaded
   * @throws InferenceException {@code UNKNOWN_PLUGIN} if it is not loaded, {@code PLUGIN_IN_USE}
   *     naming who holds it
   */
  public synchronized void unload(String id, @Nullable String version) {
    var found =
        loaded.stream()
            .filter(p -> p.id().equals(id) && (version == null || p.version().equals(version)))
            .toList();
    if (found.isEmpty()) {
      throw new InferenceException(
          ErrorCode.UNKNOWN_PLUGIN,
          "no plugin %s%s is loaded; loaded: %s"
              .formatted(
                  id,
                  version == null ? "" : " " + version,
                  loaded.stream().map(p -> p.id() + " " + p.version()).toList()));
    }
    if (found.size() > 1) {
      throw new InferenceException(
          ErrorCode.PLUGIN_IN_USE,
          "several versions of %s are loaded, say which: %s"
              .formatted(id, found.stream().map(LoadedPlugin::version).toList()));
    }
    var plugin = found.getFirst();
    if (!plugin.users().isEmpty()) {
      throw new InferenceException(
          ErrorCode.PLUGIN_IN_USE,
          "plugin %s %s is held by %s"
              .formatted(
                  id,
                  plugin.version(),
                  String.join(", ", plugin.users().stream().map(PluginUser::what).toList())));
    }
    loaded.remove(plugin);
    plugin.close();
    LOG.info("plugin {} {} unloaded", id, plugin.version());
  }

  /** What is loaded. */
  public synchronized List<PluginInfo> plugins() {
    return loaded.stream().map(LoadedPlugin::info).toList();
  }

  /** The file names of all jars in the folder now, loaded or not. */
  public List<String> jars() {
    try (var files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(JAR))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "plugins: no folder " + folder.toAbsolutePath() + " can be read",
          e);
    }
  }

  /** Somebody who may take plugins. */
  public PluginUser user(String what) {
    return new PluginUser(this, what);
  }

  synchronized ModelPlugin model(List<String> architectures, PluginUser user) {
    for (String architecture : architectures) {
      var plugin = take(LoadedPlugin::models, architecture, user);
      if (plugin != null) {
        return plugin;
      }
    }
    throw new InferenceException(
        ErrorCode.UNSUPPORTED_MODEL,
        "no model plugin serves %s; loaded plugins serve %s"
            .formatted(architectures, names(LoadedPlugin::models)));
  }

  synchronized QuantizationPlugin quantizer(String name, PluginUser user) {
    var plugin = take(LoadedPlugin::quantizers, name, user);
    if (plugin == null) {
      throw unknown("quantization", name, quantizers());
    }
    return plugin;
  }

  synchronized List<String> quantizers() {
    return names(LoadedPlugin::quantizers);
  }

  synchronized SchedulerPlugin scheduler(String name, PluginUser user) {
    var plugin = take(LoadedPlugin::schedulers, name, user);
    if (plugin == null) {
      throw unknown("scheduler", name, names(LoadedPlugin::schedulers));
    }
    return plugin;
  }

  synchronized void giveUp(PluginUser user) {
    loaded.forEach(plugin -> plugin.users().remove(user));
  }

  private List<String> names(Function<LoadedPlugin, ? extends Map<String, ?>> kind) {
    return loaded.stream()
        .flatMap(plugin -> kind.apply(plugin).keySet().stream())
        .distinct()
        .sorted()
        .toList();
  }

  private <T> @Nullable T take(
      Function<LoadedPlugin, Map<String, T>> kind, String name, PluginUser user) {
    for (var plugin : loaded.reversed()) {
      T provider = kind.apply(plugin).get(name);
      if (provider != null) {
        plugin.users().add(user);
        return provider;
      }
    }
    return null;
  }

  private static InferenceException unknown(String kind, String name, List<String> known) {
    return new InferenceException(
        ErrorCode.INVALID_CONFIGURATION,
        "no %s plugin is named %s; loaded: %s".formatted(kind, name, known));
  }

  private static InferenceException refused(String jar, @Nullable String why, Throwable cause) {
    return new InferenceException(
        ErrorCode.INVALID_PLUGIN, "plugin " + jar + " cannot be used: " + why, cause);
  }

  /** Unloads all jars; nothing they provided may be in use. */
  @Override
  public synchronized void close() {
    loaded.forEach(LoadedPlugin::close);
    loaded.clear();
    copies.close();
  }
}
