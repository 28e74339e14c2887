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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.pf4j.PluginRuntimeException;
import org.pf4j.PluginWrapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the plugin jars of a folder provide. PF4J opens and isolates the jars; their providers are
 * those of {@code META-INF/services} that the jar itself defines. Loaded once, by the host.
 */
public final class PluginCatalog implements AutoCloseable {
  /** The version of the plugin API that jars name in {@code Plugin-Requires}. */
  public static final String SPI_VERSION = "0.1.0";

  private static final Logger LOG = LoggerFactory.getLogger(PluginCatalog.class);

  private final JarManager jars = new JarManager(SPI_VERSION);
  private final List<ModelPlugin> models = new ArrayList<>();
  private final List<QuantizationPlugin> quantizers = new ArrayList<>();
  private final List<SchedulerPlugin> schedulers = new ArrayList<>();
  private final Map<String, Path> owners = new HashMap<>();

  private PluginCatalog() {}

  /**
   * Loads all jars of a folder.
   *
   * @throws InferenceException {@code INVALID_PLUGIN} naming the jar that cannot be used and the
   *     cure, {@code INVALID_CONFIGURATION} if there is no such folder
   */
  public static PluginCatalog open(Path folder) {
    var catalog = new PluginCatalog();
    try {
      jarsIn(folder).forEach(catalog::load);
      return catalog;
    } catch (RuntimeException e) {
      catalog.close();
      throw e;
    }
  }

  /** The model plugin for one of these architecture names, tried in order. */
  public ModelPlugin model(List<String> architectures) {
    for (String architecture : architectures) {
      for (var plugin : models) {
        if (plugin.architectures().contains(architecture)) {
          return plugin;
        }
      }
    }
    var known = models.stream().flatMap(p -> p.architectures().stream()).sorted().toList();
    throw new InferenceException(
        ErrorCode.UNSUPPORTED_MODEL,
        "no model plugin serves " + architectures + "; loaded plugins serve " + known);
  }

  /** The quantization plugin of this name. */
  public QuantizationPlugin quantizer(String name) {
    return named("quantization", name, quantizers, QuantizationPlugin::name);
  }

  /** The scheduler plugin of this name. */
  public SchedulerPlugin scheduler(String name) {
    return named("scheduler", name, schedulers, SchedulerPlugin::name);
  }

  /** All quantization plugins, in the order of their jars. */
  public List<QuantizationPlugin> quantizers() {
    return List.copyOf(quantizers);
  }

  private static List<Path> jarsIn(Path folder) {
    try (var files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "plugins: no folder " + folder.toAbsolutePath() + " can be read",
          e);
    }
  }

  private void load(Path jar) {
    try {
      String id = jars.loadPlugin(jar);
      var state = jars.startPlugin(id);
      var plugin = jars.getPlugin(id);
      var descriptor = plugin.getDescriptor();
      if (state.isDisabled()) {
        throw refused(
            jar, "it needs SPI " + descriptor.getRequires() + ", this is " + SPI_VERSION, null);
      }
      if (!state.isStarted()) {
        var cause = plugin.getFailedException();
        throw refused(
            jar, "its " + descriptor.getPluginClass() + " cannot be started: " + cause, cause);
      }
      register(jar, plugin);
    } catch (InferenceException e) {
      throw e;
    } catch (PluginRuntimeException e) {
      throw refused(jar, String.valueOf(e.getMessage()), e);
    } catch (RuntimeException | LinkageError e) {
      throw refused(jar, "it fails with " + e, e);
    }
  }

  private void register(Path jar, PluginWrapper plugin) {
    var ownModels = providers(jar, plugin, ModelPlugin.class);
    var ownQuantizers = providers(jar, plugin, QuantizationPlugin.class);
    var ownSchedulers = providers(jar, plugin, SchedulerPlugin.class);
    if (ownModels.isEmpty() && ownQuantizers.isEmpty() && ownSchedulers.isEmpty()) {
      throw refused(
          jar,
          "it provides nothing: list its classes in META-INF/services/"
              + ModelPlugin.class.getName()
              + " (or QuantizationPlugin, SchedulerPlugin), and do not pack the SPI into the jar",
          null);
    }
    ownModels.forEach(p -> p.architectures().forEach(name -> claim(jar, "architecture", name)));
    ownQuantizers.forEach(p -> claim(jar, "quantization", p.name()));
    ownSchedulers.forEach(p -> claim(jar, "scheduler", p.name()));
    models.addAll(ownModels);
    quantizers.addAll(ownQuantizers);
    schedulers.addAll(ownSchedulers);
    LOG.info("plugin {} {} loaded", plugin.getPluginId(), plugin.getDescriptor().getVersion());
  }

  /** A name says which plugin is meant, so only one may have it. */
  private void claim(Path jar, String kind, @Nullable String name) {
    if (name == null || name.isBlank()) {
      throw refused(jar, "a plugin for " + kind + " has no name", null);
    }
    var owner = owners.putIfAbsent(kind + " " + name, jar);
    if (owner != null) {
      throw refused(
          jar,
          kind + " " + name + " is already provided by " + owner.getFileName() + "; remove one",
          null);
    }
  }

  @SuppressWarnings("ReferenceEquality") // the very loader is meant
  private static <T> List<T> providers(Path jar, PluginWrapper plugin, Class<T> type) {
    var loader = plugin.getPluginClassLoader();
    try {
      return ServiceLoader.load(type, loader).stream()
          .filter(provider -> provider.type().getClassLoader() == loader)
          .map(ServiceLoader.Provider::get)
          .toList();
    } catch (ServiceConfigurationError | LinkageError e) {
      var cause = e.getCause();
      throw refused(jar, cause == null ? e.getMessage() : e.getMessage() + ": " + cause, e);
    }
  }

  private static <T> T named(String kind, String name, List<T> all, Function<T, String> nameOf) {
    return all.stream()
        .filter(plugin -> nameOf.apply(plugin).equals(name))
        .findFirst()
        .orElseThrow(() ->
            new InferenceException(
                ErrorCode.INVALID_CONFIGURATION,
                "no %s plugin is named %s; loaded: %s"
                    .formatted(kind, name, all.stream().map(nameOf).sorted().toList())));
  }

  private static InferenceException refused(
      Path jar, @Nullable String why, @Nullable Throwable cause) {
    return new InferenceException(
        ErrorCode.INVALID_PLUGIN, "plugin " + jar.getFileName() + " cannot be used: " + why, cause);
  }

  /** Unloads all jars; nothing they provided may be in use. */
  @Override
  public void close() {
    models.clear();
    quantizers.clear();
    schedulers.clear();
    owners.clear();
    jars.unloadPlugins();
  }
}
