package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A scheduler that has planned for a live engine leaves nothing behind once it is unloaded. */
@Timeout(60)
class UnloadTest {
  private static final int ROUNDS = 50;

  @TempDir private Path folder;

  @Test
  void classLoadersOfUnloadedSchedulersAreCollected() throws Exception {
    PluginFolder.fill(folder);
    var settings =
        Settings.defaults()
            .with(Keys.MODEL, TestServer.MODEL_DIRECTORY)
            .with(Keys.KV_CACHE_MEMORY_BYTES, 16L << 20);
    var loaders = new ArrayList<WeakReference<ClassLoader>>();
    try (var plugins = PluginCatalog.open(folder);
        var model = new EngineOpener().open(settings, plugins, EngineListener.NONE)) {
      for (int round = 0; round < ROUNDS; round++) {
        var jar = folder.resolve("last.jar");
        PluginFolder.pack(jar, "last", "1." + round + ".0", LastComePlugin.class);
        plugins.load("last.jar");
        Files.delete(jar);
        loaders.add(loader(plugins));

        var running = model.engine().submit(request(200));
        model.host().schedule("last-come", Map.of());
        assertTrue(running.next().toString().length() > 0);
        model.host().schedule("continuous", Map.of());
        plugins.unload("last", null);
        running.cancel();
      }
      while (loaders.stream().anyMatch(loader -> loader.get() != null)) {
        System.gc();
        Thread.sleep(10);
      }
      assertEquals(ROUNDS, loaders.size());
    }
  }

  private static GenerationRequest request(int tokens) {
    return GenerationRequest.of(
        "test", new int[] {5, 6, 7}, tokens, SamplingParams.greedy(), StopConditions.at(Set.of()));
  }

  /** In a method of its own, so that no local variable keeps the plugin. */
  private static WeakReference<ClassLoader> loader(PluginCatalog plugins) {
    try (var user = plugins.user("test")) {
      return new WeakReference<>(user.scheduler("last-come").getClass().getClassLoader());
    }
  }
}
