package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;

/** Modules that a configuration says are not quantized. */
final class Exclusions {
  private Exclusions() {}

  /**
   * Refuses a quantized tensor of a module that {@code quantization_config} excludes, by its name,
   * by the end of it, or by what it lies in.
   *
   * @param key of the list of names
   */
  static void check(String matrix, String tensor, ModelConfig config, String key) {
    for (String excluded : config.texts(key)) {
      if (matrix.equals(excluded)
          || matrix.endsWith("." + excluded)
          || matrix.startsWith(excluded + ".")) {
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT,
            "%s is quantized, but %s of quantization_config names %s"
                .formatted(tensor, key, excluded));
      }
    }
  }
}
