package dev.millrace.testkit;

import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PluginJarContractTest {
  private static final String SERVICES = "META-INF/services/" + SchedulerPlugin.class.getName();
  private static final String PLUGIN = "dev/millrace/testkit/JarPlugin.class";

  @TempDir Path directory;

  private final Map<String, String> manifest = new LinkedHashMap<>();
  private final Map<String, byte[]> entries = new LinkedHashMap<>();

  @BeforeEach
  void startWithAGoodJar() throws IOException {
    manifest.put("Plugin-Id", "example");
    manifest.put("Plugin-Version", "1.2.3");
    manifest.put("Plugin-Requires", ">=0.1.0 & <0.2.0");
    for (var folder :
        new String[] {
          "META-INF/", "META-INF/services/", "dev/", "dev/millrace/", "dev/millrace/testkit/"
        }) {
      entries.put(folder, new byte[0]);
    }
    entries.put(SERVICES, utf8("dev.millrace.testkit.JarPlugin\n"));
    entries.put(PLUGIN, classFile(PLUGIN));
  }

  @Test
  void aGoodJarKeepsTheContract() throws Exception {
    verdict().passes();
  }

  @Test
  void aJarWithoutAServicesFileIsCaught() throws Exception {
    entries.remove(SERVICES);
    verdict().failsOnly("hasAServicesFileForAtLeastOneKindOfPlugin", "offers no plugin");
  }

  @Test
  void anEmptyServicesFileIsCaught() throws Exception {
    entries.put(SERVICES, utf8("# nobody\n"));
    verdict().failsOnly("everyPluginItNamesIsItsOwnAndCanBeMade", "names nobody");
  }

  @Test
  void aPluginThatIsOnlyOnTheClassPathIsCaught() throws Exception {
    entries.remove(PLUGIN);
    verdict().failsOnly("everyPluginItNamesIsItsOwnAndCanBeMade", "JarPlugin");
  }

  @Test
  void aPluginOfAnotherKindIsCaught() throws Exception {
    entries.put("META-INF/services/dev.millrace.spi.ModelPlugin", entries.get(SERVICES));
    verdict().failsOnly("everyPluginItNamesIsItsOwnAndCanBeMade", "not a subtype");
  }

  @Test
  void aClassOfTheSpiInTheJarIsCaught() throws Exception {
    var copy = "dev/millrace/spi/SchedulerPlugin.class";
    entries.put("dev/millrace/spi/", new byte[0]);
    entries.put(copy, classFile(copy));
    verdict().failsOnly("bringsNoClassOfTheSpi", copy);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Plugin-Id", "Plugin-Version"})
  void aMissingNameOrVersionIsCaught(String attribute) throws Exception {
    manifest.remove(attribute);
    verdict().failsOnly("itsManifestNamesItAndItsVersion", "no " + attribute);
  }

  @Test
  void aMissingRangeIsCaught() throws Exception {
    manifest.remove("Plugin-Requires");
    verdict().failsOnly("itsManifestRequiresARangeThatHoldsThisSpi", "no Plugin-Requires");
  }

  @ParameterizedTest
  @ValueSource(strings = {">=0.2.0 & <0.3.0", "*", ">=0.1.0", "0.1.0", "any will do"})
  void aRangeThatIsWrongOrOpenIsCaught(String range) throws Exception {
    manifest.put("Plugin-Requires", range);
    verdict().failsOnly("itsManifestRequiresARangeThatHoldsThisSpi", range);
  }

  @Test
  void aMissingDirectoryEntryIsCaught() throws Exception {
    entries.remove("dev/millrace/");
    verdict().failsOnly("hasAnEntryForEveryDirectory", "[dev/millrace/]");
  }

  /** What the contract says about a jar of the manifest and entries as they are now. */
  private Verdict verdict() throws Exception {
    var jar = directory.resolve("plugin.jar");
    try (var out = Files.newOutputStream(jar)) {
      write(out);
    }
    return Verdict.of(
        new PluginJarContract() {
          @Override
          protected Path jar() {
            return jar;
          }
        });
  }

  private void write(OutputStream out) throws IOException {
    var main = new Manifest();
    main.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.forEach((name, value) -> main.getMainAttributes().putValue(name, value));
    try (var jar = new JarOutputStream(out, main)) {
      for (var entry : entries.entrySet()) {
        jar.putNextEntry(new JarEntry(entry.getKey()));
        jar.write(entry.getValue());
      }
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] classFile(String name) throws IOException {
    var loader = PluginJarContractTest.class.getClassLoader();
    try (var in = Objects.requireNonNull(loader.getResourceAsStream(name), name)) {
      return in.readAllBytes();
    }
  }
}
