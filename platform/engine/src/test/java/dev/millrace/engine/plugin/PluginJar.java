package dev.millrace.engine.plugin;

import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** A plugin jar in the making, good unless a test makes it bad. */
final class PluginJar {
  private final Map<String, String> manifest = new LinkedHashMap<>();
  private final Map<String, byte[]> entries = new LinkedHashMap<>();

  PluginJar(String id) {
    manifest.put("Plugin-Id", id);
    manifest.put("Plugin-Version", "1.2.3");
    manifest.put("Plugin-Requires", ">=0.1.0 & <0.2.0");
  }

  /** A jar with scheduler plugins of these class names. */
  static PluginJar ofSchedulers(String id, StrangersCode code, String... classes)
      throws IOException {
    var jar = new PluginJar(id).providing(SchedulerPlugin.class, classes);
    for (var name : classes) {
      jar.with(code, name);
    }
    return jar;
  }

  PluginJar manifest(String name, String value) {
    manifest.put(name, value);
    return this;
  }

  PluginJar withoutManifest(String name) {
    manifest.remove(name);
    return this;
  }

  /** Adds a services file. */
  PluginJar providing(Class<?> kind, String... classes) {
    var lines = String.join("\n", classes) + "\n";
    return entry("META-INF/services/" + kind.getName(), lines.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds a class of the compiled code. */
  PluginJar with(StrangersCode code, String name) throws IOException {
    return entry(name.replace('.', '/') + ".class", code.classFile(name));
  }

  PluginJar entry(String name, byte[] bytes) {
    entries.put(name, bytes);
    return this;
  }

  /** Packs the jar. */
  Path writeTo(Path file) throws IOException {
    var main = new Manifest();
    main.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.forEach((name, value) -> main.getMainAttributes().putValue(name, value));
    try (var jar = new JarOutputStream(Files.newOutputStream(file), main)) {
      for (var entry : entries.entrySet()) {
        jar.putNextEntry(new JarEntry(entry.getKey()));
        jar.write(entry.getValue());
      }
    }
    return file;
  }
}
