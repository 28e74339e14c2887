package dev.millrace.engine.load;

import dev.millrace.engine.gguf.GgufModel;
import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A model as it lies on a disk, and all that can be read of it. Every method but {@link #config}
 * and {@link #bytes} reads anew, and fails with {@code INVALID_CHECKPOINT} naming the file and what
 * is wrong with it.
 */
public sealed interface StoredModel permits StoredDirectory, StoredGguf {
  /**
   * Finds a model.
   *
   * @param path a directory as Hugging Face lays it out, or a GGUF file
   * @throws InferenceException {@code INVALID_CHECKPOINT} if there is none, or it is damaged
   */
  static StoredModel open(Path path) {
    if (!String.valueOf(path.getFileName()).endsWith(".gguf") || Files.isDirectory(path)) {
      return StoredDirectory.open(path);
    }
    if (!Files.exists(path)) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " does not exist");
    }
    return new StoredGguf(GgufModel.open(path));
  }

  /** The configuration, with its architectures. */
  JsonModelConfig config();

  GenerationConfig generation();

  /** The caller closes it. */
  Tokenizer tokenizer();

  ChatTemplate chatTemplate();

  /** Maps the weights; the caller closes them. */
  WeightSource weights();

  /** What the weights take in memory, unless they are quantized at load. */
  long bytes();
}
