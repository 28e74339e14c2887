package dev.millrace.engine.load;

import java.nio.file.Path;
import java.util.Map;

/**
 * Which model to load, and how.
 *
 * @param name what messages call it
 * @param path a directory as Hugging Face lays it out, or a GGUF file
 * @param quantization name of the quantization plugin; empty: what the checkpoint says
 * @param quantizationConfig settings of a plugin that quantizes at load; empty: its defaults
 * @param dtype type that unquantized weights are kept in
 * @param seed of dummy weights
 */
public record ModelSettings(
    String name,
    Path path,
    String quantization,
    Map<String, Object> quantizationConfig,
    DtypeChoice dtype,
    LoadFormat format,
    long seed) {
  public ModelSettings {
    quantizationConfig = Map.copyOf(quantizationConfig);
  }
}
