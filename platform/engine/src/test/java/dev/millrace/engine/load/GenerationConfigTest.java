package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertInvalid;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GenerationConfigTest {
  @TempDir Path directory;

  @Test
  void everyValueIsRead() throws IOException {
    write("config.json", "{\"eos_token_id\": 9, \"bos_token_id\": 8}");
    write(
        "generation_config.json",
        """
        {"eos_token_id": [128001, 128009, 128001], "bos_token_id": 128000, "temperature": 0.6,
         "top_k": 20, "top_p": 1, "min_p": 0.05, "repetition_penalty": 1.1,
         "max_new_tokens": 256, "do_sample": true, "transformers_version": "5.0"}
        """);
    assertEquals(
        new GenerationConfig(List.of(128001, 128009), 128000, 0.6, 20, 1.0, 0.05, 1.1, 256, true),
        GenerationConfig.open(directory));
  }

  @Test
  void withoutTheFileTheIdsComeFromTheConfig() throws IOException {
    write("config.json", "{\"eos_token_id\": 2, \"bos_token_id\": 1, \"temperature\": 0.1}");
    assertEquals(
        new GenerationConfig(List.of(2), 1, null, null, null, null, null, null, null),
        GenerationConfig.open(directory));
  }

  @Test
  void idsThatTheFileDoesNotGiveComeFromTheConfig() throws IOException {
    write("config.json", "{\"eos_token_id\": [2, 3], \"bos_token_id\": 1}");
    write("generation_config.json", "{\"eos_token_id\": null, \"bos_token_id\": -1, \"top_k\": 5}");
    GenerationConfig config = GenerationConfig.open(directory);
    assertEquals(List.of(2, 3), config.eos());
    assertEquals(1, config.bos());
    assertEquals(5, config.topK());
  }

  @Test
  void aModelMayNameNoIds() throws IOException {
    write("config.json", "{\"eos_token_id\": -1}");
    GenerationConfig config = GenerationConfig.open(directory);
    assertEquals(List.of(), config.eos());
    assertNull(config.bos());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"eos_token_id\": \"2\"",
        "\"eos_token_id\": [2, null]",
        "\"eos_token_id\": 1.5",
        "\"bos_token_id\": {}",
        "\"temperature\": \"0.6\"",
        "\"temperature\": NaN",
        "\"top_k\": 0.5",
        "\"top_p\": true",
        "\"min_p\": []",
        "\"repetition_penalty\": \"\"",
        "\"max_new_tokens\": 1e10",
        "\"do_sample\": 1"
      })
  void aWrongTypeNamesKeyAndFile(String entry) throws IOException {
    write("config.json", "{}");
    write("generation_config.json", "{" + entry + "}");
    String key = entry.substring(1, entry.indexOf('"', 1));
    assertInvalid(() -> GenerationConfig.open(directory), "generation_config.json: " + key);
  }

  @Test
  void aWrongTypeInTheFallbackNamesThatFile() throws IOException {
    write("config.json", "{\"eos_token_id\": \"</s>\"}");
    assertInvalid(() -> GenerationConfig.open(directory), "config.json: eos_token_id");
  }

  @Test
  void aDamagedFileIsRefused() throws IOException {
    write("config.json", "{}");
    write("generation_config.json", "{\"top_k\": ");
    assertInvalid(() -> GenerationConfig.open(directory), "generation_config.json");
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }
}
