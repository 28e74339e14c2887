package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.CheckpointTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Finds and maps the weight files of a model directory. */
final class CheckpointFiles {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private CheckpointFiles() {}

  /** All tensors of the directory, by name. */
  static Map<String, CheckpointTensor> map(Path directory, MappedFiles files) {
    Path single = directory.resolve(SINGLE);
    if (Files.exists(single)) {
      return SafetensorsFile.open(single, files).tensors();
    }
    if (Files.exists(directory.resolve(INDEX))) {
      return mapShards(ShardIndex.read(directory, INDEX), files);
    }
    return SafetensorsFile.open(onlyFile(directory), files).tensors();
  }

  private static Map<String, CheckpointTensor> mapShards(ShardIndex index, MappedFiles files) {
    List<Path> missing = index.shards().keySet().stream().filter(f -> !Files.exists(f)).toList();
    if (!missing.isEmpty()) {
      throw invalid(index.file() + " names files that do not exist: " + missing);
    }
    Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();
    for (Path path : index.shards().keySet()) {
      SafetensorsFile shard = SafetensorsFile.open(path, files);
      for (CheckpointTensor tensor : shard.tensors().values()) {
        if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
          throw invalid(path + " holds " + tensor.name() + ", which an earlier shard holds too");
        }
      }
      index.check(shard);
    }
    return tensors;
  }

  private static Path onlyFile(Path directory) {
    List<Path> files = list(directory);
    List<Path> found = endingIn(files, ".safetensors");
    if (found.size() == 1) {
      return found.getFirst();
    }
    String wanted = " has no " + SINGLE + " and no " + INDEX;
    if (found.size() > 1) {
      throw invalid(directory + wanted + " but several other files: " + names(found));
    }
    List<Path> pickles =
        Stream.of(".bin", ".pt", ".pth").flatMap(e -> endingIn(files, e).stream()).toList();
    if (!pickles.isEmpty()) {
      throw invalid(
          directory + wanted + "; it has " + names(pickles) + ": convert them to safetensors");
    }
    throw invalid(directory + wanted + "; it has " + names(files));
  }

  private static List<Path> list(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw JsonFile.unreadable(directory, e);
    }
  }

  private static List<Path> endingIn(List<Path> files, String ending) {
    return files.stream().filter(file -> file.toString().endsWith(ending)).toList();
  }

  private static List<String> names(List<Path> files) {
    return files.stream().limit(20).map(file -> String.valueOf(file.getFileName())).toList();
  }

  private static InferenceException invalid(String message) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, message);
  }
}
