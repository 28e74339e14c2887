package dev.millrace.engine.gguf;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The files of one model: a single one, or all parts of a split one, {@code
 * NAME-00001-of-00003.gguf} and so on. The metadata is that of the first.
 */
record GgufParts(List<GgufFile> files) {
  private static final Pattern SPLIT = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
  private static final String NUMBER = "split.no";
  private static final String COUNT = "split.count";
  private static final String TENSORS = "split.tensors.count";

  GgufParts {
    files = List.copyOf(files);
  }

  /**
   * Reads the headers of all parts.
   *
   * @param path the file, or any part of a split one
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the part that is missing, damaged
   *     or out of place
   */
  static GgufParts open(Path path) {
    var name = SPLIT.matcher(String.valueOf(path.getFileName()));
    if (!name.matches()) {
      var file = GgufFile.open(path);
      int count = file.metadata().optionalInteger(COUNT).orElse(1);
      if (count != 1) {
        throw file.metadata()
            .wrong(
                "is one of %d parts; parts are found by their names, like NAME-00001-of-%05d.gguf"
                    .formatted(count, count));
      }
      return new GgufParts(List.of(file));
    }
    int count = Integer.parseInt(name.group(3));
    List<Path> paths = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      paths.add(
          path.resolveSibling("%s-%05d-of-%s.gguf".formatted(name.group(1), i, name.group(3))));
    }
    if (!paths.contains(path)) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT, path + " is named as a part that there cannot be");
    }
    List<Path> missing = paths.stream().filter(part -> !Files.exists(part)).toList();
    if (!missing.isEmpty()) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s is one of %d parts, of which are missing: %s".formatted(path, count, missing));
    }
    var parts = new GgufParts(paths.stream().map(GgufFile::open).toList());
    parts.check();
    return parts;
  }

  GgufMetadata metadata() {
    return files.getFirst().metadata();
  }

  boolean has(String tensor) {
    return files.stream().anyMatch(file -> file.find(tensor) != null);
  }

  /** A tensor by its name in the file; {@code MISSING_TENSOR} if there is none. */
  GgufTensor tensor(String name) {
    return owner(name).tensor();
  }

  /** The numbers of an F32 vector. */
  float[] vector(String name) {
    var owner = owner(name);
    return owner.file().vector(owner.tensor());
  }

  private Owner owner(String name) {
    for (var file : files) {
      var tensor = file.find(name);
      if (tensor != null) {
        return new Owner(file, tensor);
      }
    }
    throw new InferenceException(
        ErrorCode.MISSING_TENSOR, files.getFirst().path() + " has no tensor " + name);
  }

  private record Owner(GgufFile file, GgufTensor tensor) {}

  private void check() {
    var owners = new HashMap<String, Path>();
    for (int i = 0; i < files.size(); i++) {
      var file = files.get(i);
      requireInteger(file, NUMBER, i);
      requireInteger(file, COUNT, files.size());
      for (var tensor : file.tensors()) {
        var owner = owners.putIfAbsent(tensor.name(), file.path());
        if (owner != null) {
          throw file.metadata().wrong("has " + tensor.name() + ", which " + owner + " has too");
        }
      }
    }
    requireInteger(files.getFirst(), TENSORS, owners.size());
  }

  private static void requireInteger(GgufFile file, String key, int wanted) {
    int found = file.metadata().integer(key);
    if (found != wanted) {
      throw file.metadata().wrong("%s is %d; its parts make it %d".formatted(key, found, wanted));
    }
  }
}
