package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Configurations whose values are spoilt, a seed for each: the family describes a model, or refuses
 * by name within five seconds. {@code -Dmillrace.fuzz.cases} makes it longer, {@code
 * -Dmillrace.fuzz.first} begins at another seed.
 */
class ConfigFuzzTest {
  private static final int CASES = Integer.getInteger("millrace.fuzz.cases", 200);
  private static final int FIRST = Integer.getInteger("millrace.fuzz.first", 0);
  private static final long SLOW_NANOS = 5_000_000_000L;
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "0",
          "1",
          "-1",
          "2",
          "3",
          "1.5",
          "1e300",
          "-1e300",
          "1e-300",
          "65536",
          "2147483647",
          "2147483646",
          "-2147483648",
          "4294967296",
          "9223372036854775807",
          "\"\"",
          "\"silu\"",
          "\"full_attention\"",
          "[]",
          "{}",
          "[1]",
          "[1.5, 2]",
          "[\"full_attention\"]",
          "{\"rope_type\": \"yarn\", \"factor\": 1e300}",
          "{\"rope_type\": \"linear\", \"factor\": 1e9}",
          "{\"rope_type\": \"longrope\", \"short_factor\": [], \"long_factor\": []}");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama",
        "llama3",
        "llama_linear",
        "llama_yarn",
        "mistral_swa",
        "qwen",
        "qwen2",
        "qwen3",
        "olmo2",
        "phi3",
        "phi3_longrope",
        "starcoder2_window",
        "gemma",
        "gemma2",
        "gemma3_text",
        "gemma3_pattern",
        "mixtral",
        "qwen3_moe"
      })
  void spoiltConfigurationsAreDescribedOrRefused(String name) throws IOException {
    var golden = Goldens.read(name);
    var plugin = Goldens.plugin(golden.config().get("model_type").textValue());
    int described = 0;
    for (int seed = FIRST; seed < FIRST + CASES; seed++) {
      var random = new SplittableRandom(seed);
      var config = random.nextBoolean() ? golden.configInOldSpelling() : golden.config().deepCopy();
      for (int i = random.nextInt(3); i >= 0; i--) {
        spoil(config, random);
      }
      Files.writeString(folder.resolve("config.json"), config.toString());
      long start = System.nanoTime();
      try {
        var _ = plugin.describe(JsonModelConfig.open(folder));
        described++;
      } catch (InferenceException e) {
        assertTrue(String.valueOf(e.getMessage()).contains("config.json"), e.getMessage());
      } catch (RuntimeException | Error e) {
        fail("seed " + seed + ": " + config, e);
      }
      if (System.nanoTime() - start > SLOW_NANOS) {
        fail("seed " + seed + " took over 5 s: " + config);
      }
    }
    assertTrue(described > 0, "no configuration was sound");
  }

  private static void spoil(ObjectNode config, SplittableRandom random) throws IOException {
    var target = config;
    var keys = keys(target);
    var key = keys.get(random.nextInt(keys.size()));
    while (target.get(key) instanceof ObjectNode inner
        && !inner.isEmpty()
        && random.nextBoolean()) {
      target = inner;
      keys = keys(target);
      key = keys.get(random.nextInt(keys.size()));
    }
    JsonNode value =
        switch (random.nextInt(3)) {
          case 0 -> target.get(keys.get(random.nextInt(keys.size())));
          default -> MAPPER.readTree(VALUES.get(random.nextInt(VALUES.size())));
        };
    target.set(key, value.deepCopy());
  }

  private static List<String> keys(ObjectNode node) {
    var keys = new ArrayList<String>();
    node.fieldNames().forEachRemaining(keys::add);
    return keys;
  }
}
