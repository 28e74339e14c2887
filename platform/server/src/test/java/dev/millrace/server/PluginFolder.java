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

/** A folder with the built plugins and one more scheduler, packed of a class of the tests. */
final class PluginFolder {
  private PluginFolder() {}

  static void fill(Path folder, Class<? extends SchedulerPlugin> scheduler) throws IOException {
    try (var built = Files.newDirectoryStream(Path.of(TestServer.PLUGINS), "*.jar")) {
      for (var jar : built) {
        Files.copy(jar, folder.resolve(jar.getFileName()));
      }
    }
    var manifest = new Manifest();
    var main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Plugin-Id", "test-scheduler");
    main.putValue("Plugin-Version", "1.0.0");
    main.putValue("Plugin-Requires", ">=0.1.0 & <0.2.0");
    var file = scheduler.getName().replace('.', '/') + ".class";
    try (var out = Files.newOutputStream(folder.resolve("test-scheduler.jar"));
        var jar = new JarOutputStream(out, manifest);
        var code =
            Objects.requireNonNull(scheduler.getClassLoader().getResourceAsStream(file), file)) {
      for (int slash = file.indexOf('/'); slash >= 0; slash = file.indexOf('/', slash + 1)) {
        jar.putNextEntry(new JarEntry(file.substring(0, slash + 1)));
      }
      jar.putNextEntry(new JarEntry(file));
      code.transferTo(jar);
      jar.putNextEntry(new JarEntry("META-INF/services/" + SchedulerPlugin.class.getName()));
      jar.write(scheduler.getName().getBytes(StandardCharsets.UTF_8));
    }
  }
}
