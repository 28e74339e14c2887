package dev.millrace.engine.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which files of a repository a model directory is served from: what {@code engine.load} and {@code
 * engine.text} read, and nothing else. The weights are those that would be loaded: one file of the
 * usual name, else those of the index, else the only safetensors file.
 *
 * @param listed all files of the repository
 */
record ServedFiles(HubReference wanted, List<String> listed) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String CONFIG = "config.json";
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String SAFETENSORS = ".safetensors";
  private static final Set<String> SMALL =
      Set.of(
          CONFIG,
          "generation_config.json",
          "quantize_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "chat_template.jinja");
  private static final String TIKTOKEN = ".tiktoken";

  ServedFiles {
    listed = List.copyOf(listed);
  }

  /** Whether this is a model's directory at all. */
  boolean areModel() {
    return listed.contains(CONFIG) && listed.stream().anyMatch(f -> f.endsWith(SAFETENSORS));
  }

  /** Everything but weights; the index of the weights is among them. */
  List<String> small() {
    require(CONFIG);
    return listed.stream()
        .filter(file ->
            SMALL.contains(file)
                || (file.endsWith(TIKTOKEN) && file.indexOf('/') < 0)
                || (file.equals(INDEX) && !listed.contains(SINGLE)))
        .toList();
  }

  /** Fails unless there is what a model cannot be served without, beside its weights. */
  void requireTexts() {
    require(CONFIG);
    require("tokenizer.json");
  }

  /**
   * The weights.
   *
   * @param folder where the small files lie
   */
  List<String> weights(Path folder) {
    if (listed.contains(SINGLE)) {
      return List.of(SINGLE);
    }
    if (listed.contains(INDEX)) {
      return shards(folder.resolve(INDEX));
    }
    var others =
        listed.stream().filter(f -> f.endsWith(SAFETENSORS) && f.indexOf('/') < 0).toList();
    if (others.size() == 1) {
      return others;
    }
    throw missing(
        others.isEmpty()
            ? "no safetensors files; weights in other forms are not read"
            : "no " + SINGLE + " and no " + INDEX + ", but several other files: " + others);
  }

  private List<String> shards(Path index) {
    JsonNode map;
    try {
      map = MAPPER.readTree(Files.readAllBytes(index)).path("weight_map");
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT, index + " cannot be read: " + e.getMessage(), e);
    }
    var shards = new TreeSet<String>();
    for (JsonNode shard : map) {
      String name = RepositoryPath.checked(shard.asText(), INDEX + " of " + wanted);
      require(name);
      shards.add(name);
    }
    if (shards.isEmpty()) {
      throw missing("an " + INDEX + " that names no files");
    }
    return List.copyOf(shards);
  }

  private void require(String file) {
    if (!listed.contains(file)) {
      throw missing("no " + file);
    }
  }

  private InferenceException missing(String what) {
    return new InferenceException(
        ErrorCode.INVALID_CHECKPOINT, "%s cannot be served: it has %s".formatted(wanted, what));
  }
}
