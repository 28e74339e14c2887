package dev.millrace.engine.plugin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Jars that come and go while the catalog is open. */
@Timeout(60)
class LiveCatalogTest {
  @TempDir static Path compiled;
  private static StrangersCode code;

  @TempDir Path folder;
  private PluginCatalog catalog;

  @BeforeAll
  static void compile() throws Exception {
    code =
        StrangersCode.compile(
            compiled,
            Map.of(
                "stranger.Calm", StrangersCode.scheduler("Calm", "\"calm\"", ""),
                "stranger.Wild", StrangersCode.scheduler("Wild", "\"wild\"", ""),
                "stranger.Broken",
                    StrangersCode.scheduler("Broken", "\"broken\"", "if (true) throw new Error();"),
                "stranger.Tiny", StrangersCode.quantizer("Tiny", "tiny")));
  }

  @BeforeEach
  void open() {
    catalog = PluginCatalog.open(folder);
  }

  @AfterEach
  void close() {
    catalog.close();
  }

  private static PluginJar calm(String version) throws IOException {
    return PluginJar.ofSchedulers("calm", code, "stranger.Calm")
        .manifest("Plugin-Version", version);
  }

  private void fails(ErrorCode code, String said, Executable call) {
    var e = assertThrows(InferenceException.class, call);
    assertEquals(code, e.code(), e.getMessage());
    assertTrue(String.valueOf(e.getMessage()).contains(said), e.getMessage());
  }

  @Test
  void jarThatComesLaterLoads() throws IOException {
    calm("1.0.0").writeTo(folder.resolve("calm.jar"));
    assertEquals(List.of(), catalog.plugins());
    assertEquals(List.of("calm.jar"), catalog.jars());
    var info = catalog.load("calm.jar");
    assertEquals("calm", info.id());
    assertEquals("1.0.0", info.version());
    assertEquals(List.of("calm"), info.schedulers());
    assertEquals(List.of(info), catalog.plugins());
    try (var user = catalog.user("test")) {
      assertEquals("calm", user.scheduler("calm").name());
    }
  }

  @Test
  void jarMayBeOverwrittenAndDeletedWhileItIsOpen() throws IOException {
    var jar = calm("1.0.0").with(code, "stranger.Wild").writeTo(folder.resolve("calm.jar"));
    catalog.load("calm.jar");
    Files.writeString(jar, "overwritten");
    Files.delete(jar);
    try (var user = catalog.user("test")) {
      var loader = user.scheduler("calm").getClass().getClassLoader();
      // a class that was not needed so far
      assertEquals("Wild", Class.forName("stranger.Wild", true, loader).getSimpleName());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatIsHeldIsNotUnloaded() throws IOException {
    calm("1.0.0").writeTo(folder.resolve("calm.jar"));
    catalog.load("calm.jar");
    try (var user = catalog.user("scheduler calm")) {
      user.scheduler("calm");
      assertEquals(List.of("scheduler calm"), catalog.plugins().getFirst().usedBy());
      fails(
          ErrorCode.PLUGIN_IN_USE,
          "plugin calm 1.0.0 is held by scheduler calm",
          () -> catalog.unload("calm", null));
    }
    catalog.unload("calm", "1.0.0");
    assertEquals(List.of(), catalog.plugins());
    fails(ErrorCode.UNKNOWN_PLUGIN, "no plugin calm", () -> catalog.unload("calm", null));
  }

  @Test
  void newVersionAnswersBesideTheOldOneWhichThenGoes() throws IOException {
    calm("1.0.0").writeTo(folder.resolve("calm-1.jar"));
    calm("1.1.0").writeTo(folder.resolve("calm-2.jar"));
    catalog.load("calm-1.jar");
    try (var recent = catalog.user("recent")) {
      SchedulerPlugin second;
      try (var old = catalog.user("old")) {
        var first = old.scheduler("calm");
        catalog.load("calm-2.jar");
        second = recent.scheduler("calm");
        assertNotSame(first.getClass(), second.getClass());
        fails(ErrorCode.PLUGIN_IN_USE, "held by old", () -> catalog.unload("calm", "1.0.0"));
      }
      fails(ErrorCode.PLUGIN_IN_USE, "say which", () -> catalog.unload("calm", null));
      catalog.unload("calm", "1.0.0");
      assertSame(second, recent.scheduler("calm"));
    }
    fails(ErrorCode.INVALID_PLUGIN, "already loaded", () -> catalog.load("calm-2.jar"));
  }

  @Test
  void ofSeveralVersionsAtStartTheNewestAnswers() throws IOException {
    calm("1.10.0").writeTo(folder.resolve("a.jar"));
    calm("1.9.0").writeTo(folder.resolve("b.jar"));
    try (var again = PluginCatalog.open(folder);
        var user = again.user("test")) {
      user.scheduler("calm");
      again.unload("calm", "1.9.0");
      fails(ErrorCode.PLUGIN_IN_USE, "held by test", () -> again.unload("calm", "1.10.0"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "absent.jar",
        "../calm.jar",
        "/tmp/calm.jar",
        "a/../calm.jar",
        "sub/calm.jar",
        "link.jar",
        "sub.jar",
        "calm.jar\0",
        "calm.txt"
      })
  void onlyJarsOfTheFolderHaveNames(String name) throws IOException {
    var outside = calm("1.0.0").writeTo(compiled.resolve("outside.jar"));
    Files.copy(outside, folder.resolve("calm.txt"));
    Files.createDirectory(folder.resolve("sub.jar"));
    Files.createSymbolicLink(folder.resolve("link.jar"), outside);
    fails(ErrorCode.UNKNOWN_PLUGIN, "the plugin folder has no jar", () -> catalog.load(name));
    assertEquals(List.of(), catalog.plugins());
  }

  @ParameterizedTest
  @ValueSource(strings = {"../evil", "a/../../evil", "/etc/evil", "C:/evil", "..\\evil", "a\\evil"})
  void entriesThatLieOutsideAreRefused(String name) throws IOException {
    calm("1.0.0").entry(name, new byte[0]).writeTo(folder.resolve("calm.jar"));
    fails(ErrorCode.INVALID_PLUGIN, "would lie outside", () -> catalog.load("calm.jar"));
  }

  @Test
  void jarThatUnpacksWithoutEndIsRefused() throws IOException {
    var bomb = calm("1.0.0");
    for (int i = 0; i < 9; i++) {
      bomb.entry("zeros" + i, new byte[64 << 20]);
    }
    var jar = bomb.writeTo(folder.resolve("calm.jar"));
    assertTrue(Files.size(jar) < 2 << 20, "small until it is unpacked");
    fails(ErrorCode.INVALID_PLUGIN, "unpacks to more than", () -> catalog.load("calm.jar"));
  }

  @Test
  void jarWithTooManyEntriesIsRefused() throws IOException {
    var jar = calm("1.0.0");
    for (int i = 0; i < 20_001; i++) {
      jar.entry("entry" + i, new byte[0]);
    }
    jar.writeTo(folder.resolve("calm.jar"));
    fails(ErrorCode.INVALID_PLUGIN, "entries, a plugin may have", () -> catalog.load("calm.jar"));
  }

  @Test
  void jarWithAFlippedByteIsRefused() throws IOException {
    var jar = calm("1.0.0").entry("data", new byte[1000]).writeTo(folder.resolve("calm.jar"));
    byte[] bytes = Files.readAllBytes(jar);
    int manifest = 60; // inside the first entry's data
    bytes[manifest] ^= 1;
    Files.write(jar, bytes);
    fails(ErrorCode.INVALID_PLUGIN, "", () -> catalog.load("calm.jar"));
  }

  @Test
  void refusedJarLeavesNothing() throws IOException {
    PluginJar.ofSchedulers("broken", code, "stranger.Broken").writeTo(folder.resolve("b.jar"));
    PluginJar.ofSchedulers("other", code, "stranger.Calm").writeTo(folder.resolve("other.jar"));
    calm("1.0.0").writeTo(folder.resolve("calm.jar"));
    catalog.load("calm.jar");
    fails(ErrorCode.INVALID_PLUGIN, "java.lang.Error", () -> catalog.load("b.jar"));
    fails(ErrorCode.INVALID_PLUGIN, "already provided", () -> catalog.load("other.jar"));
    assertEquals(1, catalog.plugins().size());
    catalog.unload("calm", null);
    catalog.load("other.jar"); // the names are free again
  }

  @Test
  void afterUnloadNothingOfAJarStays() throws Exception {
    var loaders = new ArrayList<WeakReference<ClassLoader>>();
    for (int round = 0; round < 50; round++) {
      loaders.add(round(round));
    }
    while (loaders.stream().anyMatch(loader -> loader.get() != null)) {
      System.gc();
      Thread.sleep(10);
    }
    assertEquals(List.of(), catalog.plugins());
  }

  /** In a method of its own, so that no local variable keeps what it used. */
  private WeakReference<ClassLoader> round(int round) throws IOException {
    var jar = calm("1." + round + ".0").writeTo(folder.resolve("calm.jar"));
    catalog.load("calm.jar");
    WeakReference<ClassLoader> loader;
    try (var user = catalog.user("round " + round)) {
      var plugin = user.scheduler("calm");
      assertFalse(plugin.create(Map.of()).toString().isEmpty());
      loader = new WeakReference<>(plugin.getClass().getClassLoader());
    }
    catalog.unload("calm", null);
    Files.delete(jar);
    return loader;
  }

  @Test
  void closedCatalogLeavesNoFiles() throws IOException {
    calm("1.0.0").writeTo(folder.resolve("calm.jar"));
    var before = copies();
    try (var other = PluginCatalog.open(folder)) {
      assertEquals(1, other.plugins().size());
    }
    assertEquals(before, copies());
  }

  private static List<Path> copies() throws IOException {
    try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(f -> f.toString().contains("millrace-plugins")).sorted().toList();
    }
  }
}
