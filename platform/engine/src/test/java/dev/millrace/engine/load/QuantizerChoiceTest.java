package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which plugin reads, of what was asked for and what is stored. */
class QuantizerChoiceTest {
  private static final List<String> KNOWN = List.of("none", "gptq", "int4");

  @TempDir Path directory;

  @Test
  void withoutAnythingMatricesAreReadAsTheyAre() {
    var choice = choose("", Map.of(), "");
    assertEquals(List.of("none"), names(choice));
    assertFalse(choice.asked());
    assertEquals(List.of("none"), names(choose("none", Map.of(), "")));
  }

  @Test
  void whatIsStoredDecides() {
    for (String asked : List.of("", "gptq")) {
      var stored = stored("gptq");
      var choice = choose(asked, Map.of(), stored);
      assertEquals(List.of("gptq", "none"), names(choice));
      assertSame(stored, choice.config());
      assertFalse(choice.asked());
    }
  }

  @Test
  void whatIsAskedForIsMadeWithItsSettings() {
    var choice = choose("int4", Map.of("group_size", 64), "");
    assertEquals(List.of("int4", "none"), names(choice));
    assertTrue(choice.asked());
    assertEquals(64, choice.config().integer("group_size"));
  }

  @Test
  void contradictionsAreRefused() {
    var unsupported = ErrorCode.UNSUPPORTED_QUANTIZATION;
    assertFails(unsupported, () -> choose("int4", Map.of(), "gptq"), "int4", "stored as gptq");
    assertFails(unsupported, () -> choose("none", Map.of(), "gptq"), "none", "stored as gptq");
    assertFails(unsupported, () -> choose("", Map.of(), "odd"), "stored as odd", KNOWN.toString());
  }

  @Test
  void settingsForNothingAreRefused() {
    var wrong = ErrorCode.INVALID_CONFIGURATION;
    Map<String, Object> settings = Map.of("group_size", 64);
    assertFails(wrong, () -> choose("", settings, ""), "quantization-config", "names no format");
    assertFails(wrong, () -> choose("none", settings, ""), "quantization-config");
    assertFails(wrong, () -> choose("gptq", settings, "gptq"), "stored as gptq");
  }

  @Test
  void aFormatThatTakesNothingIsRefused() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{\"model_type\":\"llama\"}");
    try (var dummy = new DummyCheckpoint(JsonModelConfig.open(directory), 3)) {
      var idle = choose("gptq", Map.of(), "");
      var read = new CheckpointWeights(dummy, idle, DtypeChoice.AUTO, new WeightHandles(m -> m));
      read.linear("m", 4, 8, Split.NONE);
      assertFails(
          ErrorCode.UNSUPPORTED_QUANTIZATION, () -> idle.checkUsed(read), "gptq", "no matrix");

      var busy = choose("int4", Map.of(), "");
      var made = new CheckpointWeights(dummy, busy, DtypeChoice.AUTO, new WeightHandles(m -> m));
      made.linear("m", 4, 8, Split.NONE);
      busy.checkUsed(made);
      assertEquals(List.of("BF16 (1 matrices, 64 bytes)"), texts(made.formats()));
    }
  }

  private static List<String> texts(List<?> formats) {
    return formats.stream().map(Object::toString).toList();
  }

  private static List<String> names(QuantizerChoice choice) {
    return choice.readers().stream().map(QuantizationPlugin::name).toList();
  }

  private static ModelConfig stored(String method) {
    var node = JsonNodeFactory.instance.objectNode();
    if (!method.isEmpty()) {
      node.put("quant_method", method);
    }
    return JsonModelConfig.of(Path.of("config.json"), node);
  }

  private QuantizerChoice choose(String asked, Map<String, Object> settings, String stored) {
    return choose(asked, settings, stored(stored));
  }

  private QuantizerChoice choose(String asked, Map<String, Object> settings, ModelConfig stored) {
    return QuantizerChoice.of(
        new ModelSettings("m", directory, asked, settings, DtypeChoice.AUTO, LoadFormat.AUTO, 0),
        stored,
        KNOWN,
        // the one called gptq takes nothing here, as it does where nothing is stored so
        name -> new PlainPlugin(name, name.equals("gptq") ? "m" : ""));
  }
}
