package dev.millrace.engine.load;

import java.nio.file.Path;

/**
 * Which model to load, and how.
 *
 * @param name what messages call it
 * @param path a directory as Hugging Face lays it out, or a GGUF file
 * @param quantization name of the quantization plugin; empty: what the checkpoint says
 * @param dtype type that unquantized weights are kept in
 * @param seed of dummy weights
 */
public record ModelSettings(
    String name, Path path, String quantization, DtypeChoice dtype, LoadFormat format, long seed) {}
