package dev.millrace.engine.load;

import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A model directory as Hugging Face lays it out. */
record StoredDirectory(Path directory, JsonModelConfig config) implements StoredModel {
  static StoredDirectory open(Path directory) {
    if (Files.isDirectory(directory) && !Files.exists(directory.resolve("config.json"))) {
      var others = files(directory, "*.gguf");
      if (!others.isEmpty()) {
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT,
            directory + " has no config.json, but GGUF files, of which to name one: " + others);
      }
    }
    return new StoredDirectory(directory, JsonModelConfig.open(directory));
  }

  @Override
  public GenerationConfig generation() {
    return GenerationConfig.open(directory);
  }

  @Override
  public Tokenizer tokenizer() {
    return Tokenizer.open(directory);
  }

  @Override
  public ChatTemplate chatTemplate() {
    return ChatTemplate.open(directory);
  }

  @Override
  public WeightSource weights() {
    return HuggingFaceCheckpoint.open(directory);
  }

  @Override
  public long bytes() {
    long bytes = 0;
    for (var file : files(directory, "*.safetensors")) {
      try {
        bytes += Files.size(file);
      } catch (IOException e) {
        throw JsonFile.unreadable(file, e);
      }
    }
    return bytes;
  }

  private static List<Path> files(Path directory, String pattern) {
    var found = new ArrayList<Path>();
    try (var files = Files.newDirectoryStream(directory, pattern)) {
      files.forEach(found::add);
    } catch (IOException e) {
      throw JsonFile.unreadable(directory, e);
    }
    return found.stream().sorted().toList();
  }
}
