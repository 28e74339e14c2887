package dev.millrace.engine.plugin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.StepPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PluginCatalogTest {
  @TempDir static Path compiled;
  private static StrangersCode code;

  @TempDir Path folder;

  @BeforeAll
  static void compile() throws Exception {
    code =
        StrangersCode.compile(
            compiled,
            Map.ofEntries(
                Map.entry("stranger.Calm", StrangersCode.scheduler("Calm", "\"calm\"", "")),
                Map.entry("stranger.Calm2", StrangersCode.scheduler("Calm2", "\"calm\"", "")),
                Map.entry("stranger.Wild", StrangersCode.scheduler("Wild", "\"wild\"", "")),
                Map.entry("stranger.Nameless", StrangersCode.scheduler("Nameless", "null", "")),
                Map.entry(
                    "stranger.Shy",
                    StrangersCode.scheduler("Shy", "String.valueOf(1 / (1 - 1))", "")),
                Map.entry(
                    "stranger.Broken",
                    StrangersCode.scheduler(
                        "Broken",
                        "\"broken\"",
                        "if (true) throw new IllegalStateException(\"no licence\");")),
                Map.entry(
                    "stranger.Needy",
                    StrangersCode.scheduler("Needy", "\"needy\"", "new Calm().name();")),
                Map.entry("stranger.Tiny", StrangersCode.quantizer("Tiny", "tiny")),
                Map.entry("stranger.Tiny2", StrangersCode.quantizer("Tiny2", "tiny")),
                Map.entry("stranger.Bird", StrangersCode.model("Bird", "\"BirdLM\", \"bird\"")),
                Map.entry("stranger.Crow", StrangersCode.model("Crow", "\"CrowLM\", \"bird\""))));
  }

  @Test
  void aStrangersSchedulerLoadsAndPlans() throws IOException {
    calm().writeTo(folder.resolve("calm.jar"));
    try (var catalog = PluginCatalog.open(folder);
        var user = catalog.user("test")) {
      var plugin = user.scheduler("calm");
      assertNotSame(getClass().getClassLoader(), plugin.getClass().getClassLoader());
      assertEquals("calm", plugin.name());
      assertEquals(List.of(), user.quantizers());
    }
  }

  @Test
  void oneJarMayProvideAllKinds() throws IOException {
    calm()
        .providing(QuantizationPlugin.class, "stranger.Tiny")
        .with(code, "stranger.Tiny")
        .providing(ModelPlugin.class, "stranger.Bird")
        .with(code, "stranger.Bird")
        .writeTo(folder.resolve("all.jar"));
    try (var catalog = PluginCatalog.open(folder);
        var user = catalog.user("test")) {
      assertEquals("calm", user.scheduler("calm").name());
      assertEquals("tiny", user.quantizer("tiny").name());
      assertEquals(List.of("tiny"), user.quantizers());
      assertEquals("Bird", user.model(List.of("OtherLM", "bird")).getClass().getSimpleName());
    }
  }

  @Test
  void severalJarsAndOtherFilesMayLieInTheFolder() throws IOException {
    calm().writeTo(folder.resolve("b.jar"));
    schedulers("wild", "stranger.Wild").writeTo(folder.resolve("a.jar"));
    Files.writeString(folder.resolve("README.md"), "no plugin");
    Files.createDirectory(folder.resolve("old"));
    try (var catalog = PluginCatalog.open(folder);
        var user = catalog.user("test")) {
      assertEquals("calm", user.scheduler("calm").name());
      assertEquals("wild", user.scheduler("wild").name());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "META-INF/versions/21/"})
  void aJarThatBringsTheSpiAlongIsRefusedWithTheCure(String place) throws IOException {
    var name = place + StepPlan.class.getName().replace('.', '/') + ".class";
    calm().entry(name, StrangersCode.spiClass(StepPlan.class)).writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", "give the dependency on millrace-spi the scope 'provided'");
  }

  @Test
  void aJarThatProvidesNothingIsRefusedWithTheCure() throws IOException {
    new PluginJar("idle").with(code, "stranger.Calm").writeTo(folder.resolve("idle.jar"));
    refused("idle.jar", "META-INF/services/dev.millrace.spi.ModelPlugin");
  }

  @ParameterizedTest
  @ValueSource(strings = {">=0.2.0 & <0.3.0", "9.0.0", "<0.1.0"})
  void aJarForAnotherSpiIsRefusedNamingBothVersions(String range) throws IOException {
    calm().manifest("Plugin-Requires", range).writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", "needs SPI " + range + ", this is " + PluginCatalog.SPI_VERSION);
  }

  @Test
  void aRangeThatIsNoneIsRefused() throws IOException {
    calm().manifest("Plugin-Requires", "any will do").writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", "any will do");
  }

  @Test
  void whatIsNoZipFileIsRefused() throws IOException {
    Files.writeString(folder.resolve("text.jar"), "not a zip file");
    refused("text.jar", "");
  }

  @Test
  void aHalfCopiedJarIsRefused() throws IOException {
    var jar = calm().writeTo(folder.resolve("calm.jar"));
    byte[] whole = Files.readAllBytes(jar);
    Files.write(jar, Arrays.copyOf(whole, whole.length / 2));
    refused("calm.jar", "");
  }

  @ParameterizedTest
  @CsvSource({"Plugin-Id, id", "Plugin-Version, version"})
  void aManifestWithoutNameOrVersionIsRefused(String attribute, String said) throws IOException {
    calm().withoutManifest(attribute).writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", said);
  }

  @Test
  void oneVersionOfOneIdTwiceIsRefused() throws IOException {
    calm().writeTo(folder.resolve("a.jar"));
    schedulers("calm", "stranger.Wild").writeTo(folder.resolve("b.jar"));
    refused("b.jar", "already loaded, from a.jar; give a changed plugin another version");
  }

  @Test
  void aProviderThatIsNotInTheJarIsRefused() throws IOException {
    new PluginJar("calm")
        .providing(SchedulerPlugin.class, "stranger.Absent")
        .writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", "stranger.Absent");
  }

  @Test
  void aProviderOfAnotherKindIsRefused() throws IOException {
    calm().providing(ModelPlugin.class, "stranger.Calm").writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", "stranger.Calm");
  }

  @Test
  void aProviderThatThrowsWhenItIsMadeIsRefusedWithItsReason() throws IOException {
    schedulers("broken", "stranger.Broken").writeTo(folder.resolve("broken.jar"));
    refused("broken.jar", "no licence");
  }

  @Test
  void aProviderThatLacksAClassIsRefusedNamingTheClass() throws IOException {
    schedulers("needy", "stranger.Needy").writeTo(folder.resolve("needy.jar"));
    refused("needy.jar", "stranger/Calm");
  }

  @ParameterizedTest
  @CsvSource({"Nameless, no name", "Shy, / by zero"})
  void aProviderWhoseNameCannotBeHadIsRefused(String type, String said) throws IOException {
    schedulers("odd", "stranger." + type).writeTo(folder.resolve("odd.jar"));
    refused("odd.jar", said);
  }

  @Test
  void aPluginClassThatIsNotThereIsRefused() throws IOException {
    calm().manifest("Plugin-Class", "stranger.Absent").writeTo(folder.resolve("calm.jar"));
    refused("calm.jar", "stranger.Absent");
  }

  @Test
  void oneSchedulerNameInTwoJarsIsRefusedNamingBoth() throws IOException {
    calm().writeTo(folder.resolve("a.jar"));
    schedulers("other", "stranger.Calm2").writeTo(folder.resolve("b.jar"));
    refused("b.jar", "scheduler calm is already provided by a.jar");
  }

  @Test
  void oneNameTwiceInAJarIsRefused() throws IOException {
    schedulers("calm", "stranger.Calm", "stranger.Calm2").writeTo(folder.resolve("a.jar"));
    refused("a.jar", "scheduler calm is already provided by a.jar");
  }

  @Test
  void oneQuantizationNameInTwoJarsIsRefused() throws IOException {
    for (var name : List.of("Tiny", "Tiny2")) {
      new PluginJar(name)
          .providing(QuantizationPlugin.class, "stranger." + name)
          .with(code, "stranger." + name)
          .writeTo(folder.resolve(name + ".jar"));
    }
    refused("Tiny2.jar", "quantization tiny is already provided by Tiny.jar");
  }

  @Test
  void oneArchitectureInTwoJarsIsRefused() throws IOException {
    for (var name : List.of("Bird", "Crow")) {
      new PluginJar(name)
          .providing(ModelPlugin.class, "stranger." + name)
          .with(code, "stranger." + name)
          .writeTo(folder.resolve(name + ".jar"));
    }
    refused("Crow.jar", "architecture bird is already provided by Bird.jar");
  }

  @Test
  void oneNameOfTwoKindsIsNoClash() throws IOException {
    calm().writeTo(folder.resolve("calm.jar"));
    new PluginJar("tiny")
        .providing(QuantizationPlugin.class, "stranger.Tiny")
        .with(code, "stranger.Tiny")
        .writeTo(folder.resolve("tiny.jar"));
    PluginCatalog.open(folder).close();
  }

  @Test
  void aFolderThatIsNotThereOrIsAFileIsAFaultOfTheConfiguration() throws IOException {
    var file = Files.writeString(folder.resolve("file"), "");
    for (var wrong : List.of(folder.resolve("absent"), file)) {
      var e = assertThrows(InferenceException.class, () -> PluginCatalog.open(wrong).close());
      assertEquals(ErrorCode.INVALID_CONFIGURATION, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains(wrong.toString()), e.getMessage());
    }
  }

  @Test
  void unknownNamesAreAnsweredWithTheKnownOnes() throws IOException {
    calm()
        .providing(ModelPlugin.class, "stranger.Bird")
        .with(code, "stranger.Bird")
        .writeTo(folder.resolve("calm.jar"));
    schedulers("wild", "stranger.Wild").writeTo(folder.resolve("wild.jar"));
    try (var catalog = PluginCatalog.open(folder);
        var user = catalog.user("test")) {
      var scheduler = assertThrows(InferenceException.class, () -> user.scheduler("fast"));
      assertEquals(ErrorCode.INVALID_CONFIGURATION, scheduler.code());
      assertEquals(
          "no scheduler plugin is named fast; loaded: [calm, wild]", scheduler.getMessage());
      var quantizer = assertThrows(InferenceException.class, () -> user.quantizer("int3"));
      assertEquals(ErrorCode.INVALID_CONFIGURATION, quantizer.code());
      assertEquals("no quantization plugin is named int3; loaded: []", quantizer.getMessage());
      var model =
          assertThrows(InferenceException.class, () -> user.model(List.of("FishLM", "fish")));
      assertEquals(ErrorCode.UNSUPPORTED_MODEL, model.code());
      assertEquals(
          "no model plugin serves [FishLM, fish]; loaded plugins serve [BirdLM, bird]",
          model.getMessage());
    }
  }

  private void refused(String jar, String said) {
    var e = assertThrows(InferenceException.class, () -> PluginCatalog.open(folder).close());
    var message = String.valueOf(e.getMessage());
    assertEquals(ErrorCode.INVALID_PLUGIN, e.code(), message);
    assertTrue(message.startsWith("plugin " + jar + " cannot be used: "), message);
    assertTrue(message.contains(said), message);
  }

  private static PluginJar calm() throws IOException {
    return schedulers("calm", "stranger.Calm");
  }

  private static PluginJar schedulers(String id, String... classes) throws IOException {
    return PluginJar.ofSchedulers(id, code, classes);
  }
}
