package dev.millrace.engine.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The index of a checkpoint that is spread over several files.
 *
 * @param shards the tensors each file is said to hold
 */
record ShardIndex(Path file, Map<Path, Set<String>> shards) {

  /**
   * Reads an index. Its file names are paths below the directory: one that leads out of it is
   * refused, symbolic links (which download caches use) are followed.
   */
  static ShardIndex read(Path directory, String name) {
    Path file = directory.resolve(name);
    if (!(JsonFile.read(file).path("weight_map") instanceof ObjectNode weightMap)) {
      throw invalid(file, "has no object weight_map");
    }
    Map<Path, Set<String>> shards = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : weightMap.properties()) {
      Path shard = resolve(directory, file, entry.getKey(), entry.getValue());
      shards.computeIfAbsent(shard, _ -> new TreeSet<>()).add(entry.getKey());
    }
    if (shards.isEmpty()) {
      throw invalid(file, "has an empty weight_map");
    }
    return new ShardIndex(file, shards);
  }

  private static Path resolve(Path directory, Path index, String tensor, JsonNode name) {
    if (!name.isTextual() || !name.textValue().endsWith(".safetensors")) {
      throw invalid(
          index, "puts " + tensor + " into " + JsonFile.shown(name) + ", not a .safetensors file");
    }
    try {
      Path shard = Path.of(name.textValue()).normalize();
      if (!shard.isAbsolute() && !shard.startsWith("..")) {
        return directory.resolve(shard);
      }
    } catch (InvalidPathException e) {
      throw invalid(index, "puts " + tensor + " into a file with an impossible name: " + e);
    }
    throw invalid(
        index,
        "puts " + tensor + " into " + JsonFile.shown(name) + ", outside the model's directory");
  }

  /** Checks that a shard holds the tensors that the index puts there, no fewer and no more. */
  void check(SafetensorsFile shard) {
    Set<String> expected = shards.getOrDefault(shard.path(), Set.of());
    Set<String> found = shard.tensors().keySet();
    for (String tensor : expected) {
      if (!found.contains(tensor)) {
        throw invalid(file, "puts " + tensor + " into " + shard.path() + ", which lacks it");
      }
    }
    for (String tensor : found) {
      if (!expected.contains(tensor)) {
        throw invalid(file, "does not mention " + tensor + ", which is in " + shard.path());
      }
    }
  }

  private static InferenceException invalid(Path file, String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, file + " " + what);
  }
}
