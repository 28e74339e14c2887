package dev.millrace.compare.cpu;

import dev.millrace.compare.CompareException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The models that are measured, as far as there are any.
 *
 * @param q4 a GGUF file in Q4_0
 * @param bf16 the same weights as a GGUF file in BF16
 * @param directory the same as a directory in BF16, for programs in Python
 * @param quantized the same weights as GGUF files in further formats
 * @param small a directory of a smaller model, which is served to many users
 * @param smallGguf the same weights as a GGUF file
 */
record Models(
    Optional<Path> q4,
    Optional<Path> bf16,
    Optional<Path> directory,
    List<Path> quantized,
    Optional<Path> small,
    Optional<Path> smallGguf) {
  Models {
    quantized = List.copyOf(quantized);
  }

  /** Bytes of the weights in a model's file or directory. */
  static long bytes(Path model) {
    try {
      if (!Files.isDirectory(model)) {
        return Files.size(model);
      }
      long bytes = 0;
      try (var files = Files.newDirectoryStream(model, "*.safetensors")) {
        for (var file : files) {
          bytes += Files.size(file);
        }
      }
      return bytes;
    } catch (IOException e) {
      throw new CompareException("cannot read " + model + ": " + e.getMessage());
    }
  }

  /** A model's name in a table: the part of its file's name that tells formats apart. */
  static String label(Path model) {
    String file = String.valueOf(model.getFileName()).replaceFirst("\\.gguf$", "");
    return file.substring(file.lastIndexOf('-') + 1);
  }
}
