package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import java.nio.file.Path;
import java.util.Map;

/**
 * A model in one GGUF file, or in all parts of a split one, in the terms of Hugging Face: what is
 * read of it is what a model directory would have. Nothing stays open. Immutable.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the GGUF format</a>
 */
public final class GgufModel {
  private final Path path;
  private final GgufParts parts;
  private final Map<String, GgufWeight> weights;
  private final ObjectNode config;
  private final GgufTokenizer tokenizer;

  private GgufModel(
      Path path,
      GgufParts parts,
      Map<String, GgufWeight> weights,
      ObjectNode config,
      GgufTokenizer tokenizer) {
    this.path = path;
    this.parts = parts;
    this.weights = weights;
    this.config = config;
    this.tokenizer = tokenizer;
  }

  /**
   * Reads all but the weights.
   *
   * @param path the file, or any part of a split one
   * @throws InferenceException {@code INVALID_CHECKPOINT} or {@code MISSING_TENSOR} if a file is
   *     missing, damaged or incomplete, {@code UNSUPPORTED_MODEL} if it holds what is not served;
   *     the message names the file and the key or tensor
   */
  public static GgufModel open(Path path) {
    var parts = GgufParts.open(path);
    var family = GgufFamily.of(parts.metadata());
    var config = GgufConfig.of(parts, family);
    int rows = config.get("vocab_size").intValue();
    var tokenizer = GgufTokenizer.of(parts.metadata(), rows);
    return new GgufModel(path, parts, GgufWeights.of(parts, family), config, tokenizer);
  }

  /** The file that was asked for. */
  public Path path() {
    return path;
  }

  /** A {@code config.json}. */
  public ObjectNode config() {
    return config.deepCopy();
  }

  /** A {@code tokenizer.json}. */
  public ObjectNode tokenizer() {
    return tokenizer.tokenizer();
  }

  /** A {@code tokenizer_config.json}, with the chat template. */
  public ObjectNode tokenizerConfig() {
    return tokenizer.config();
  }

  /** A {@code generation_config.json}. */
  public ObjectNode generation() {
    return tokenizer.generation();
  }

  /** Whether any weight is stored in blocks. */
  public boolean quantized() {
    return weights.values().stream().anyMatch(weight -> weight.dtype() == DType.U8);
  }

  /** Bytes that the weights take in memory, in formats that hold them exactly. */
  public long bytesInMemory() {
    return parts.files().stream()
        .flatMap(file -> file.tensors().stream())
        .mapToLong(GgufTensor::bytesInMemory)
        .reduce(0, Math::addExact);
  }

  /** Maps the files; the tensors are valid as long as their mappings. */
  public GgufTensors map(MappedFiles files) {
    var mapped = parts.files().stream().map(file -> files.map(file.path())).toList();
    return new GgufTensors(path, weights, mapped);
  }
}
