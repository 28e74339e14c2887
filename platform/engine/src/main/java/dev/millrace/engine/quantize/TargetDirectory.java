package dev.millrace.engine.quantize;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory that is there whole or not at all: it is filled under another name beside the one it
 * gets at the end, and is gone if it never gets it.
 */
final class TargetDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TargetDirectory.class);

  /** Files of a model directory that are weights, or are written anew. */
  private static final List<String> WEIGHTS =
      List.of(
          ".safetensors",
          ".index.json",
          ".bin",
          ".pt",
          ".pth",
          ".gguf",
          ".h5",
          ".msgpack",
          ".onnx");

  private final Path target;
  private final Path filling;
  private boolean finished;

  /**
   * Begins a directory.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is something of this name, or
   *     nothing can be made beside it
   */
  TargetDirectory(Path target) {
    this.target = target.toAbsolutePath().normalize();
    if (Files.exists(this.target)) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, target + " exists; name a directory that does not");
    }
    try {
      var parent = Files.createDirectories(this.target.getParent());
      long id = ProcessHandle.current().pid();
      filling =
          Files.createDirectory(parent.resolve("." + this.target.getFileName() + ".part-" + id));
    } catch (IOException | NullPointerException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, "nothing can be written beside " + target + ": " + e, e);
    }
  }

  /** Where a file of it is written. */
  Path file(String name) {
    return filling.resolve(name);
  }

  /** Copies what a model directory has besides its weights and {@code config.json}. */
  void copyFrom(Path source) throws IOException {
    try (var files = Files.list(source)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        if (!name.equals("config.json") && WEIGHTS.stream().noneMatch(name::endsWith)) {
          Files.copy(file, file(name));
        }
      }
    }
  }

  /** Gives the directory its name. */
  void finish() throws IOException {
    if (Files.exists(target)) { // a rename would replace an empty one
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, target + " was made by somebody else meanwhile");
    }
    Files.move(filling, target, StandardCopyOption.ATOMIC_MOVE);
    finished = true;
  }

  @Override
  public void close() {
    if (finished) {
      return;
    }
    try (var files = Files.walk(filling)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      LOG.warn("{} is left over and cannot be removed: {}", filling, e.toString());
    }
  }
}
