package dev.millrace.engine.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The small tokenizers the tests run on: byte-level ones with real split rules, and SPM ones. */
final class Tokenizers {
  static final List<String> NAMES =
      List.of("llama3-like", "qwen2-like", "o200k-like", "llama2-like", "mistral-metaspace-like");

  private Tokenizers() {}

  static InputStream resource(String name) {
    return Objects.requireNonNull(Tokenizers.class.getResourceAsStream("tokenizers/" + name), name);
  }

  /** Lays out a model directory with this tokenizer and opens it. */
  static Tokenizer open(Path directory, String name, String config) {
    try (InputStream in = resource(name + ".json")) {
      Files.write(directory.resolve("tokenizer.json"), in.readAllBytes());
      if (!config.isEmpty()) {
        Files.writeString(directory.resolve("tokenizer_config.json"), config);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Tokenizer.open(directory);
  }
}
