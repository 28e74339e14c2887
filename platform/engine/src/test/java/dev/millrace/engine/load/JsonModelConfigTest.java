package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertFails;
import static dev.millrace.engine.load.Faults.assertInvalid;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonModelConfigTest {
  @TempDir Path directory;

  @Test
  void valuesAreTyped() throws IOException {
    JsonModelConfig config =
        config(
            """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
             "max_position_embeddings": 4096.0, "rms_norm_eps": 1e-5, "rope_theta": 10000,
             "tie_word_embeddings": true, "eos_token_id": [1, 2], "low": [0.5, 1],
             "rope_parameters": {"rope_type": "llama3", "inner": {"factor": 8.0}},
             "head_dim": null, "limit": [0.0, Infinity]}
            """);
    assertEquals(List.of("LlamaForCausalLM"), config.architectures());
    assertEquals("llama", config.modelType());
    assertEquals(64, config.integer("hidden_size"));
    assertEquals(4096, config.integer("max_position_embeddings", 1));
    assertEquals(1e-5, config.real("rms_norm_eps", 0));
    assertEquals(10000.0, config.real("rope_theta", 0));
    assertTrue(config.flag("tie_word_embeddings", false));
    assertEquals(List.of(0.5, 1.0), config.reals("low"));
    ModelConfig inner = config.object("rope_parameters").object("inner");
    assertEquals(8.0, inner.real("factor", 1));
    assertEquals(List.of(1, 2), config.integers("eos_token_id"));
    assertEquals(List.of(64), config.integers("hidden_size"));
  }

  @Test
  void absentAndNullAreTheSame() throws IOException {
    JsonModelConfig config = config("{\"a\":null}");
    for (String key : List.of("a", "b")) {
      assertFalse(config.has(key));
      assertEquals(3, config.integer(key, 3));
      assertEquals(0.5, config.real(key, 0.5));
      assertTrue(config.flag(key, true));
      assertEquals("x", config.text(key, "x"));
      assertEquals(List.of(), config.reals(key));
      assertEquals(List.of(), config.texts(key));
      assertEquals(List.of(), config.integers(key));
      assertFalse(config.object(key).has("c"));
    }
    assertEquals(List.of(), config.architectures());
    assertEquals("", config.modelType());
  }

  @Test
  void aMissingKeyIsNamedWithItsPathAndFile() throws IOException {
    JsonModelConfig config = config("{\"rope_scaling\":{\"inner\":{}}}");
    assertWrong(() -> config.integer("hidden_size"), "config.json: hidden_size is missing");
    assertWrong(
        () -> config.object("rope_scaling").object("inner").integer("x"),
        "rope_scaling.inner.x is missing");
    assertWrong(() -> config.object("absent").integer("y"), "absent.y is missing");
  }

  @Test
  void aMistypedKeyIsNamedWithWhatIsThere() throws IOException {
    JsonModelConfig config =
        config(
            """
            {"s": "64", "f": 1.5, "big": 4294967296, "huge": 1e999, "list": [1, "two"],
             "o": {"s": "64"}, "long": "%s"}
            """
                .formatted("x".repeat(1000)));
    assertWrong(() -> config.integer("s"), "config.json: s is \"64\", not a whole number");
    assertWrong(() -> config.integer("f", 1), "f is 1.5");
    assertWrong(() -> config.integer("big", 1), "big is 4294967296");
    assertWrong(() -> config.integer("huge", 1), "huge is");
    assertWrong(() -> config.integer("list"), "list is [1,\"two\"]");
    assertWrong(() -> config.real("s", 1), "s is \"64\", not a number");
    assertWrong(() -> config.real("huge", 1), "huge is");
    assertWrong(() -> config.flag("f", true), "f is 1.5, not true or false");
    assertWrong(() -> config.text("f", ""), "f is 1.5, not a string");
    assertWrong(() -> config.reals("list"), "list[1] is \"two\", not a number");
    assertWrong(() -> config.texts("list"), "list[0] is 1, not a string");
    assertWrong(() -> config.texts("s"), "s is \"64\", not an array");
    assertWrong(() -> config.integers("list"), "list[1] is \"two\", not a whole number");
    assertWrong(() -> config.object("s"), "s is \"64\", not an object");
    assertWrong(() -> config.object("o").integer("s"), "o.s is \"64\"");
    assertWrong(() -> config.integer("long"), "xxx…, not a whole");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "[]", "3", "{", "{} {}", "{\"a\":1,\"a\":2}", "\0{}", "{\"a\":\"\0\"}"})
  void aFileThatIsNoJsonObjectIsDamaged(String text) throws IOException {
    Files.writeString(directory.resolve("config.json"), text);
    assertInvalid(() -> JsonModelConfig.open(directory), "config.json");
  }

  @Test
  void numbersThatAreNotFiniteAreRefusedWhereTheyAreUsed() throws IOException {
    JsonModelConfig config = config("{\"a\": NaN, \"b\": [Infinity], \"c\": 1}");
    assertEquals(1, config.integer("c"));
    assertWrong(() -> config.real("a", 0), "a is NaN");
    assertWrong(() -> config.integer("a", 0), "a is NaN");
    assertWrong(() -> config.reals("b"), "b[0] is Infinity");
  }

  private static void assertWrong(Executable call, String words) {
    assertFails(ErrorCode.UNSUPPORTED_MODEL, call, words);
  }

  private JsonModelConfig config(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json);
    return JsonModelConfig.open(directory);
  }
}
