package dev.millrace.engine.load;

import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.engine.tiktoken.QwenText;
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
    var generation = GenerationConfig.open(directory);
    return tiktoken() ? generation.endingWith(QwenText.read(directory).ends(chatMl())) : generation;
  }

  @Override
  public Tokenizer tokenizer() {
    return tiktoken()
        ? Tokenizer.of(QwenText.read(directory).tokenizer(), directory)
        : Tokenizer.open(directory);
  }

  @Override
  public ChatTemplate chatTemplate() {
    var template = ChatTemplate.open(directory);
    return tiktoken() && chatMl() && !template.exists()
        ? ChatTemplate.of(QwenText.chat(), directory)
        : template;
  }

  /** Whether all there is of a tokenizer is the vocabulary of the original Qwen. */
  private boolean tiktoken() {
    return !Files.exists(directory.resolve("tokenizer.json")) && QwenText.isIn(directory);
  }

  /** Whether a checkpoint of the original Qwen was trained to chat; its base models say raw. */
  private boolean chatMl() {
    var file = directory.resolve(GenerationConfig.FILE);
    return !Files.exists(file)
        || !JsonModelConfig.read(file, ErrorCode.INVALID_CHECKPOINT)
            .text("chat_format", "chatml")
            .equals("raw");
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
