package dev.millrace.server;

import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Folders of plugins, with schedulers that are packed of classes of the tests. */
final class PluginFolder {
  private PluginFolder() {}

  /** The built plugins, and one more in {@code test-scheduler.jar}. */
  static void fill(Path folder, Class<? extends SchedulerPlugin> scheduler) throws IOException {
    fill(folder);
    pack(folder.resolve("test-scheduler.jar"), "test-scheduler", "1.0.0", scheduler);
  }

  /** The built plugins. */
  static void fill(Path folder) throws IOException {
    try (var built = Files.newDirectoryStream(Path.of(TestServer.PLUGINS), "*.jar")) {
      for (var jar : built) {
        Files.copy(jar, folder.resolve(jar.getFileName()));
      }
    }
  }

  /** A jar of one class. */
  static void pack(Path file, String id, String version, Class<? extends SchedulerPlugin> scheduler)
      throws IOException {
    var manifest = new Manifest();
    var main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Plugin-Id", id);
    main.putValue("Plugin-Version", version);
    main.putValue("Plugin-Requires", ">=0.1.0 & <0.2.0");
    var entry = scheduler.getName().replace('.', '/') + ".class";
    try (var out = Files.newOutputStream(file);
        var jar = new JarOutputStream(out, manifest);
        var code =
            Objects.requireNonNull(scheduler.getClassLoader().getResourceAsStream(entry), entry)) {
      for (int slash = entry.indexOf('/'); slash >= 0; slash = entry.indexOf('/', slash + 1)) {
        jar.putNextEntry(new JarEntry(entry.substring(0, slash + 1)));
      }
      jar.putNextEntry(new JarEntry(entry));
      code.transferTo(jar);
      jar.putNextEntry(new JarEntry("META-INF/services/" + SchedulerPlugin.class.getName()));
      jar.write(scheduler.getName().getBytes(StandardCharsets.UTF_8));
    }
  }
}
