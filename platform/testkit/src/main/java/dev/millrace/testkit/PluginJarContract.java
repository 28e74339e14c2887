package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.pf4j.DefaultVersionManager;

/**
 * What a plugin jar must keep so that the host can load it. To test a jar, extend this class and
 * run it after the jar is packed.
 */
public abstract class PluginJarContract {
  private static final List<Class<?>> KINDS =
      List.of(ModelPlugin.class, QuantizationPlugin.class, SchedulerPlugin.class);

  /** The packed jar. */
  protected abstract Path jar();

  @Test
  void hasAServicesFileForAtLeastOneKindOfPlugin() throws IOException {
    try (var jar = open()) {
      var files = KINDS.stream().map(PluginJarContract::servicesFile).toList();
      assertTrue(
          files.stream().anyMatch(file -> jar.getEntry(file) != null),
          jar() + " offers no plugin: it has none of the files " + files);
    }
  }

  @Test
  void everyPluginItNamesIsItsOwnAndCanBeMade() throws IOException {
    URL[] url = {jar().toUri().toURL()};
    try (var jar = open();
        var loader = new URLClassLoader(url, new SpiOnly())) {
      for (var kind : KINDS) {
        if (jar.getEntry(servicesFile(kind)) != null) {
          makeAll(kind, loader);
        }
      }
    }
  }

  @Test
  void bringsNoClassOfTheSpi() throws IOException {
    try (var jar = open()) {
      var copies =
          jar.stream()
              .map(ZipEntry::getName)
              .filter(name -> name.startsWith("dev/millrace/spi/") && name.endsWith(".class"));
      assertEquals(
          List.of(), copies.toList(), jar() + " brings the SPI along; its scope is 'provided'");
    }
  }

  @Test
  void itsManifestNamesItAndItsVersion() throws IOException {
    assertFalse(attribute("Plugin-Id").contains(" "), "Plugin-Id is one word");
    var version = attribute("Plugin-Version");
    assertTrue(
        new DefaultVersionManager().checkVersionConstraint(version, ">=0.0.0 | <0.0.1"),
        "Plugin-Version: " + version + " is no semantic version, such as 1.0.0");
  }

  @Test
  void itsManifestRequiresARangeThatHoldsThisSpi() throws IOException {
    var range = attribute("Plugin-Requires");
    assertTrue(
        accepts(range, SpiVersion.current()),
        "Plugin-Requires: " + range + " does not accept " + SpiVersion.current());
    assertFalse(
        accepts(range, "999.0.0"),
        "Plugin-Requires: " + range + " has no upper end; '>=0.1.0 & <0.2.0' has one");
  }

  @Test
  void hasAnEntryForEveryDirectory() throws IOException {
    try (var jar = open()) {
      var directories = new TreeSet<String>();
      for (var entry : jar.stream().toList()) {
        var name = entry.getName();
        for (int end = name.indexOf('/'); end >= 0; end = name.indexOf('/', end + 1)) {
          directories.add(name.substring(0, end + 1));
        }
      }
      directories.removeIf(directory -> jar.getEntry(directory) != null);
      assertTrue(directories.isEmpty(), jar() + " has no entries for " + directories);
    }
  }

  private JarFile open() throws IOException {
    return new JarFile(jar().toFile());
  }

  private static String servicesFile(Class<?> kind) {
    return "META-INF/services/" + kind.getName();
  }

  private void makeAll(Class<?> kind, ClassLoader loader) {
    int made = 0;
    try {
      for (var plugin : ServiceLoader.load(kind, loader)) {
        assertEquals(loader, plugin.getClass().getClassLoader(), plugin + " is not in " + jar());
        made++;
      }
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new AssertionError("a plugin of " + jar() + " cannot be made: " + e, e);
    }
    assertTrue(made > 0, servicesFile(kind) + " in " + jar() + " names nobody");
  }

  private String attribute(String name) throws IOException {
    try (var jar = open()) {
      var manifest = jar.getManifest();
      var value = manifest == null ? null : manifest.getMainAttributes().getValue(name);
      assertTrue(value != null && !value.isBlank(), jar() + " has no " + name + " in its manifest");
      return String.valueOf(value);
    }
  }

  private static boolean accepts(String range, String version) {
    // the host reads a bare version as 'from this one on'
    var wanted = range.matches("\\d+\\.\\d+\\.\\d+") ? ">=" + range : range;
    try {
      return new DefaultVersionManager().checkVersionConstraint(version, wanted);
    } catch (RuntimeException e) {
      throw new AssertionError("Plugin-Requires: " + range + " is no range: " + e.getMessage(), e);
    }
  }
}
