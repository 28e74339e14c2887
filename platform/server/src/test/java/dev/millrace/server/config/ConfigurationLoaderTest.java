package dev.millrace.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dropwizard.core.server.DefaultServerFactory;
import io.dropwizard.jackson.Jackson;
import io.dropwizard.jersey.validation.Validators;
import io.dropwizard.jetty.HttpConnectorFactory;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigurationLoaderTest {
  private static final String SHIPPED = "config/millrace.yml";

  private static ServeConfiguration load(String yaml, Map<String, Object> flags) throws Exception {
    var loader =
        new ConfigurationLoader(Jackson.newObjectMapper(), Validators.newValidator(), flags);
    return loader.build(
        path -> new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)), "test.yml");
  }

  private static List<String> problems(String yaml, Map<String, Object> flags) {
    var problems = assertThrows(ConfigurationProblems.class, () -> load(yaml, flags));
    return List.copyOf(problems.getErrors());
  }

  private static HttpConnectorFactory connector(ServeConfiguration configuration) {
    var server = (DefaultServerFactory) configuration.getServerFactory();
    return (HttpConnectorFactory) server.getApplicationConnectors().getFirst();
  }

  @Test
  void emptyFileMeansDefaults() throws Exception {
    var configuration = load("# nothing\n", Map.of());
    assertEquals(8080, configuration.settings().get(Keys.PORT));
    assertEquals(8080, connector(configuration).getPort());
    assertTrue(configuration.settings().find(Keys.MODEL).isEmpty());
  }

  @Test
  void flagsOverrideTheFile() throws Exception {
    var configuration =
        load(
            "port: 1000\nmax-num-seqs: 7\napi-key: [a, b]\n",
            Map.of("port", "2000", "api-key", List.of("c", "d,e")));
    assertEquals(2000, configuration.settings().get(Keys.PORT));
    assertEquals(2000, connector(configuration).getPort());
    assertEquals(7, configuration.settings().get(Keys.MAX_NUM_SEQS));
    assertEquals(List.of("c", "d,e"), configuration.settings().get(Keys.API_KEY));
  }

  @Test
  void ownConnectorKeepsItsPortUnlessOneIsSet() throws Exception {
    var yaml = "server:\n  applicationConnectors: [{type: http, port: 1234}]\n";
    assertEquals(1234, connector(load(yaml, Map.of())).getPort());
    assertEquals(5678, connector(load(yaml, Map.of("port", "5678"))).getPort());
  }

  @Test
  void everythingWrongIsSaidAtOnce() {
    var problems =
        problems(
            """
            prt: 5
            port: abc
            max-num-seqs: 0
            block-size: 1.5
            dtype: float8
            scheduler-settings: {static: 7}
            server:
              gzip: {enabledd: true}
              maxThreads: 1
              shutdownGracePeriod: soon
            """,
            Map.of("admin-port", "99999"));
    for (var start :
        List.of(
            "prt: unknown key, did you mean \"port\"?",
            "port: found \"abc\", expected a whole number from 0 to 65535",
            "max-num-seqs: found 0, expected a whole number, at least 1",
            "block-size: found 1.5",
            "dtype: found \"float8\", expected one of auto, float32, bfloat16, float16",
            "scheduler-settings: found",
            "--admin-port: found \"99999\"",
            "server.gzip.enabledd: unknown key, did you mean \"enabled\"?",
            "server.maxThreads: must be greater",
            "server.shutdownGracePeriod: found \"soon\"")) {
      assertTrue(problems.stream().anyMatch(line -> line.startsWith(start)), start + problems);
    }
  }

  @Test
  void valueThatCouldNotBeReadIsNotSaidToBeTooSmall() {
    var problems = problems("server: {maxThreads: many}\n", Map.of());
    assertEquals(1, problems.stream().filter(line -> line.startsWith("server.maxThreads")).count());
  }

  @Test
  void wrongFilesAreNamed() {
    assertEquals(List.of("file: holds no map of keys and values"), problems("[1]", Map.of()));
    assertTrue(problems("a: b\n c: [", Map.of()).getFirst().startsWith("file: is not YAML"));
    assertTrue(problems("port: 1\nport: 2\n", Map.of()).getFirst().contains("Duplicate"));
    assertEquals(
        List.of("server: found 5, expected keys and values"), problems("server: 5", Map.of()));
  }

  @Test
  void thePortsMustDiffer() throws Exception {
    assertTrue(
        problems("port: 9000\nadmin-port: 9000\n", Map.of())
            .getFirst()
            .startsWith("admin-port: is 9000, as port is"));
    assertEquals(0, load("port: 0\nadmin-port: 0\n", Map.of()).settings().get(Keys.ADMIN_PORT));
  }

  @Test
  void sizesAndTimesHaveUnits() throws Exception {
    var settings = load("kv-cache-memory-bytes: 3MiB\nshutdown-timeout: 5\n", Map.of()).settings();
    assertEquals(3L << 20, settings.get(Keys.KV_CACHE_MEMORY_BYTES));
    assertEquals(Duration.ofSeconds(5), settings.get(Keys.SHUTDOWN_TIMEOUT));
  }

  @Test
  void schedulersHaveSettingsByName() throws Exception {
    var settings = load("scheduler-settings: {static: {max-wait-ms: 20}}", Map.of()).settings();
    assertEquals(
        Map.of("static", Map.of("max-wait-ms", "20")), settings.get(Keys.SCHEDULER_SETTINGS));
  }

  @Test
  void keysOfTheApiAreNotShown() throws Exception {
    var shown = load("api-key: [sesame]\n", Map.of()).settings().describe();
    assertFalse(shown.contains("sesame"), shown);
    assertTrue(shown.contains("api-key: 1 set"), shown);
  }

  @Test
  void shippedFileNamesEveryKeyWithItsDefault() throws Exception {
    var file = Path.of(System.getProperty("millrace.root"), SHIPPED);
    var yaml = Files.readString(file);
    var named = new HashSet<String>();
    for (var line : yaml.lines().toList()) {
      if (line.matches("[a-z].*")) {
        assertTrue(named.add(line.substring(0, line.indexOf(':'))), line);
        assertTrue(line.contains(" # "), line);
      }
    }
    var known = new HashSet<>(Keys.ALL.stream().map(Setting::name).toList());
    known.addAll(List.of("server", "logging"));
    assertEquals(known, named);

    var loaded = load(yaml, Map.of()).settings();
    for (var setting : Keys.ALL) {
      assertEquals(Settings.defaults().find(setting), loaded.find(setting), setting.name());
    }
  }
}
